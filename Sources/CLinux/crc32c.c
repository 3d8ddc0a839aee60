// The processor's CRC-32C instruction, which Swift has no name for. A table in Swift stands in where there is none.
#include "clinux.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>

int clinux_has_crc32c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) != 0;
}

__attribute__((target("sse4.2"))) uint32_t clinux_crc32c(uint32_t crc, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    uint64_t wide = crc;
    for (; length >= 8; length -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; length > 0; length--) crc = _mm_crc32_u8(crc, *p++);
    return crc;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>
#include <asm/hwcap.h>

int clinux_has_crc32c(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

__attribute__((target("crc"))) uint32_t clinux_crc32c(uint32_t crc, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    for (; length >= 8; length -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __builtin_arm_crc32cd(crc, word);
    }
    for (; length > 0; length--) crc = __builtin_arm_crc32cb(crc, *p++);
    return crc;
}

#else

int clinux_has_crc32c(void) { return 0; }
uint32_t clinux_crc32c(uint32_t crc, const void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    return crc;
}

#endif
