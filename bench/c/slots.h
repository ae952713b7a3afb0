/* slots.h: the keys that a composed job works with; each expanded once but the user's, which changes with every item. */
#ifndef BENCH_SLOTS_H
#define BENCH_SLOTS_H

enum {
    ROOT,    /* SECURITY_KEY, encrypts */
    SEAL,    /* PROTECTION_KEY, encrypts */
    OPEN,    /* PROTECTION_KEY, decrypts */
    ALIAS,   /* ALIAS_KEY, encrypts */
    UNALIAS, /* ALIAS_KEY, decrypts */
    USER,
    SLOTS
};

#endif
