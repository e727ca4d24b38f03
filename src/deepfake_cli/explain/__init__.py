"""Why a file was judged as it was: the most suspicious faces and what in them speaks for fake, as a page, pictures and a film."""
