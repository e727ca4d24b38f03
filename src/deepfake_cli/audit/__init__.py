"""Find shortcuts in the data: size, format, compression, blur, source."""
