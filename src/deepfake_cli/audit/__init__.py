"""What separates reals from fakes without a look at the face: size, format, compression, blur, source."""
