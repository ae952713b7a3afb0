/* exact_rows.h: a row that is a tuple of three str, the usual case, into UTF-8 without a call of Python. Included by
 * _native.pyx alone. */
#ifndef EHC_EXACT_ROWS_H
#define EHC_EXACT_ROWS_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

/* The most bytes that a text takes in UTF-8. */
static inline size_t text_room(PyObject *text)
{
    size_t n = (size_t)PyUnicode_GET_LENGTH(text), kind = (size_t)PyUnicode_KIND(text);
    return PyUnicode_IS_ASCII(text) ? n : (kind == 4 ? 4 : kind + 1) * n;
}

/* The most bytes that a row takes; -1 when it is something else than an exact tuple of three exact str. */
static inline Py_ssize_t exact_row_room(PyObject *row)
{
    size_t room = 0;
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != 3)
        return -1;
    for (Py_ssize_t k = 0; k < 3; k++) {
        PyObject *cell = PyTuple_GET_ITEM(row, k);
        if (!PyUnicode_CheckExact(cell))
            return -1;
        room += text_room(cell);
    }
    return (Py_ssize_t)room;
}

/* Moves of a fixed size for what document numbers have: a call of memcpy costs more than all of them. */
static inline uint8_t *copy_ascii(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n == 2) {
        memcpy(to, from, 2);
    } else if (n >= 16 && n <= 32) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else {
        memcpy(to, from, n);
    }
    return to + n;
}

/* Characters of 1, 2 or 4 bytes each in UTF-8; NULL at half of a surrogate pair. Always inlined: a loop for each kind. */
static inline __attribute__((always_inline)) uint8_t *encode(uint8_t *to, const void *characters, int kind, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t c = PyUnicode_READ(kind, characters, (Py_ssize_t)i);
        if (c < 0x80) {
            *to++ = (uint8_t)c;
        } else if (c < 0x800) {
            *to++ = (uint8_t)(0xC0 | c >> 6);
            *to++ = (uint8_t)(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            if (c - 0xD800 < 0x800)
                return NULL;
            *to++ = (uint8_t)(0xE0 | c >> 12);
            *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            *to++ = (uint8_t)(0x80 | (c & 0x3F));
        } else {
            *to++ = (uint8_t)(0xF0 | c >> 18);
            *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
            *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            *to++ = (uint8_t)(0x80 | (c & 0x3F));
        }
    }
    return to;
}

/* Encodes by itself: PyUnicode_AsUTF8 would leave a copy in every str. `to` has text_room() bytes. */
static inline uint8_t *write_text(uint8_t *to, PyObject *text)
{
    size_t n = (size_t)PyUnicode_GET_LENGTH(text);
    const void *characters = PyUnicode_DATA(text);
    if (PyUnicode_IS_ASCII(text))
        return copy_ascii(to, (const uint8_t *)characters, n);
    if (PyUnicode_KIND(text) == PyUnicode_2BYTE_KIND)
        return encode(to, characters, PyUnicode_2BYTE_KIND, n);
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        return encode(to, characters, PyUnicode_1BYTE_KIND, n);
    return encode(to, characters, PyUnicode_4BYTE_KIND, n);
}

/* Writes a row for which exact_row_room() found room; returns its end, or NULL where a text cannot be written. */
static inline uint8_t *exact_row_write(uint8_t *to, PyObject *row, size_t *id_length)
{
    uint8_t *begin = to;
    for (Py_ssize_t k = 0; k < 3; k++) {
        to = write_text(to, PyTuple_GET_ITEM(row, k));
        if (to == NULL)
            return NULL;
        if (k == 1)
            *id_length = (size_t)(to - begin);
    }
    return to;
}

#endif
