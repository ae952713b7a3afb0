/* lanes_end.h: the last include of a unit that begins with a lanes_<isa>.h. clang wants the end of what its pragma there
 * began; gcc's lasts until the end of the file. */
#if defined(__clang__) && !defined(EHC_SIMDE)
#pragma clang attribute pop
#endif
