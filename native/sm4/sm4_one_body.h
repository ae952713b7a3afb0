/* sm4_one_body.h: SM4 of a single block, written once; a lanes_<isa>.h stands before it. A group of lanes would do it too,
 * at the price of the whole group: here one vector is in flight, every lane the same block, and what counts is the
 * latency of a round. So what T works on is kept ready but for T of the round before, and a key enters the field early. */
/* A tier whose instructions work on blocks has its own (sm4_instructions_body.h). */
#if !defined(SM4_ONE)
#if !defined(SM4_ALIKE) /* a lanes header may know a shorter way for lanes that are all alike */
#define sm4_t_alike(ready, x) v_xor(ready, sm4_t(x))
#define sm4_t_key_alike sm4_t_key
#endif

static inline void sm4_one(const uint32_t round_keys[32], const uint8_t *in, uint32_t out[4])
{
    vec x[4];
    for (int i = 0; i < 4; i++)
        x[i] = sm4_enter(v_set(load32(in + 4 * i)));
    vec input = v_xor(v_xor(x[1], x[2]), v_xor(x[3], sm4_enter_key(v_set(round_keys[0]))));
    for (int i = 0; i < 32; i += 4) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            vec key = sm4_enter_key(v_set(round_keys[(i + j + 1) % 32])); /* behind the last round: of no use */
            vec others = v_xor(v_xor(x[(j + 2) % 4], x[(j + 3) % 4]), key);
            input = sm4_t_alike(v_xor(others, x[j]), input);
            x[j] = v_xor(others, input);
        }
    }
    for (int i = 0; i < 4; i++)
        out[i] = v_first(sm4_leave(x[3 - i]));
}
#endif
