/* sm_ni_traps.c: linked with kernels whose compiler has the SM3 and SM4 instructions of x86-64, it lets a processor without
 * them run the very machine code: the instruction is undefined there, and the signal's handler decodes its VEX form
 * (Intel SDM volume 2, chapter 2.3 and the instructions' pages), computes it by sm_ni_in_c.h and goes on behind it.
 * Linux only. Says at the end how many of each it has done. */
#define _GNU_SOURCE 1 /* REG_RAX and its like */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "sm_ni_in_c.h"

enum { MSG1, MSG2, RNDS2, KEY4, RNDS4, INSTRUCTIONS };
static const char *const NAMES[INSTRUCTIONS] = {"vsm3msg1", "vsm3msg2", "vsm3rnds2", "vsm4key4", "vsm4rnds4"};
static unsigned long done[INSTRUCTIONS];

/* Where the frame keeps things: XMM in the legacy area, the upper halves behind the header of XSAVE's standard form. */
enum { XMM_AT = 160, XSTATE_BV_AT = 512, YMM_HIGH_AT = 576, SSE_AND_AVX = 6 };

typedef struct {
    int which, wide, reg, vvvv;
    uint8_t source[32]; /* the third operand, register or memory */
    unsigned imm8;
    size_t length;
} instruction;

static uint8_t *half_of(uint8_t *state, int reg, int high)
{
    return state + (high ? YMM_HIGH_AT : XMM_AT) + 16 * reg;
}

/* -1 unless it is one of the five: by map, pp and opcode. */
static int which_is(unsigned map, unsigned pp, unsigned opcode)
{
    static const int BY_PP[4] = {MSG1, MSG2, KEY4, RNDS4}; /* none, 66, F3, F2 */
    if (map == 3)
        return pp == 1 && opcode == 0xDE ? RNDS2 : -1;
    return map == 2 && opcode == 0xDA ? BY_PP[pp] : -1;
}

static uint64_t register_value(const ucontext_t *context, int reg)
{
    static const int PLACES[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                   REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return (uint64_t)context->uc_mcontext.gregs[PLACES[reg]];
}

static int32_t displacement(const uint8_t *at)
{
    int32_t value;
    memcpy(&value, at, 4);
    return value;
}

/* The address of a memory operand; *length grows by SIB and displacement. `next` is behind them but for an immediate. */
static const uint8_t *address(const ucontext_t *context, const uint8_t *modrm, int x, int b, size_t tail,
                              size_t *length)
{
    int mod = *modrm >> 6, rm = *modrm & 7;
    const uint8_t *at = modrm + 1;
    uint64_t sum = 0;
    int has_base = 1;
    if (rm == 4) {
        int index = (*at >> 3 & 7) | x << 3, base = *at & 7;
        if (index != 4)
            sum += register_value(context, index) << (*at >> 6);
        has_base = !(mod == 0 && base == 5);
        if (has_base)
            sum += register_value(context, base | b << 3);
        at++;
    } else if (mod == 0 && rm == 5) {
        *length += 4;
        return at + 4 + tail + displacement(at); /* relative to the next instruction */
    } else {
        sum += register_value(context, rm | b << 3);
    }
    size_t wide = mod == 1 ? 1 : mod == 2 || !has_base ? 4 : 0;
    if (wide != 0)
        sum += (uint64_t)(int64_t)(wide == 1 ? (int8_t)*at : displacement(at));
    *length += (size_t)(at - modrm - 1) + wide;
    return (const uint8_t *)(uintptr_t)sum;
}

static void decode(const ucontext_t *context, uint8_t *state, instruction *in)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    int r = !(code[1] & 0x80), x = !(code[1] & 0x40), b = !(code[1] & 0x20); /* inverted in the prefix */
    in->which = code[0] == 0xC4 && !(code[2] & 0x80) ? which_is(code[1] & 31, code[2] & 3, code[3]) : -1;
    in->wide = code[2] >> 2 & 1;
    if (in->which < 0 || (in->wide && in->which < KEY4)) {
        static const char WHAT[] = "sm_ni_traps: an undefined instruction that is none of the five\n";
        (void)!write(2, WHAT, sizeof WHAT - 1);
        _exit(3);
    }
    in->vvvv = ~(code[2] >> 3) & 15;
    in->reg = (code[4] >> 3 & 7) | r << 3;
    in->length = 5;
    size_t tail = in->which == RNDS2;
    if (code[4] >> 6 == 3) {
        int source = (code[4] & 7) | b << 3;
        memcpy(in->source, half_of(state, source, 0), 16);
        memcpy(in->source + 16, half_of(state, source, 1), 16);
    } else {
        memcpy(in->source, address(context, code + 4, x, b, tail, &in->length), in->wide ? 32 : 16);
    }
    in->imm8 = tail ? code[in->length] : 0;
    in->length += tail;
}

static void compute(uint8_t *state, const instruction *in, int high)
{
    uint32_t first[4], second[4], third[4];
    memcpy(first, half_of(state, in->which < KEY4 ? in->reg : in->vvvv, high), 16);
    memcpy(second, half_of(state, in->vvvv, high), 16);
    memcpy(third, in->source + 16 * high, 16);
    switch (in->which) {
    case MSG1:
        sm3msg1_in_c(first, second, third);
        break;
    case MSG2:
        sm3msg2_in_c(first, second, third);
        break;
    case RNDS2:
        sm3rnds2_in_c(first, second, third, in->imm8);
        break;
    case KEY4:
        sm4key4_in_c(first, third);
        break;
    default:
        sm4rnds4_in_c(first, third);
    }
    memcpy(half_of(state, in->reg, high), first, 16);
}

static void on_undefined(int signal, siginfo_t *info, void *frame)
{
    ucontext_t *context = frame;
    uint8_t *state = (uint8_t *)context->uc_mcontext.fpregs;
    uint64_t present;
    instruction in;
    (void)signal, (void)info;
    memcpy(&present, state + XSTATE_BV_AT, 8);
    if (!(present & 4)) /* all upper halves are zero and were not saved */
        memset(state + YMM_HIGH_AT, 0, 256);
    present |= SSE_AND_AVX;
    memcpy(state + XSTATE_BV_AT, &present, 8);
    decode(context, state, &in);
    compute(state, &in, 0);
    if (in.wide)
        compute(state, &in, 1);
    else
        memset(half_of(state, in.reg, 1), 0, 16);
    context->uc_mcontext.gregs[REG_RIP] += (greg_t)in.length;
    done[in.which]++;
}

static void report(void)
{
    for (int i = 0; i < INSTRUCTIONS; i++)
        fprintf(stderr, "%s %lu\n", NAMES[i], done[i]);
}

__attribute__((constructor)) static void install(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = on_undefined;
    sigaction(SIGILL, &action, NULL);
    atexit(report);
}
