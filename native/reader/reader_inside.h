/* reader_inside.h: what the parts of libehcreader.so share. Nothing of it is exported. */
#ifndef EHC_READER_INSIDE_H
#define EHC_READER_INSIDE_H

#include "ehc_reader.h"

enum { READER_MESSAGE = 32, READER_RAW = 96 }; /* of a signed code: what is signed, and all of it */

/* Picks a tier and tests it, once a process. */
int reader_ready(void);
/* The 96 bytes of a signed code (profile E3), or LENGTH, CHARACTER, GRAMMAR with the place in *error_offset. */
int reader_signed(const char *text, size_t length, uint8_t raw[READER_RAW], uint32_t *error_offset);
void reader_header(const uint8_t header[16], ehc_reader_payload *out);
/* Without the CR, LF and Tab of a scanner. */
size_t reader_trimmed(const char *text, size_t length);

#endif
