// The ImageFormats target.
