"""Each platform with people before it: the same conversations and cases run on all of them."""
