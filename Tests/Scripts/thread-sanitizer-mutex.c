#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// Preloaded by thread-sanitizer.sh. A Mutex of Swift's that is contended is locked and unlocked inside the Synchronization
// library, by the kernel (FUTEX_LOCK_PI), where ThreadSanitizer does not look; so it is told here who came after whom.

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

typedef SWIFT void Lock(uint32_t thread, SELF);
typedef SWIFT void Unlock(SELF);

SWIFT void lock_slow(uint32_t thread, SELF) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void unlock_slow(SELF) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

static void *original(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

SWIFT void lock_slow(uint32_t thread, SELF) {
    static Lock *next;
    Lock *lock = __atomic_load_n(&next, __ATOMIC_RELAXED);
    if (!lock) {
        lock = (Lock *)original("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
        __atomic_store_n(&next, lock, __ATOMIC_RELAXED);
    }
    lock(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT void unlock_slow(SELF) {
    static Unlock *next;
    Unlock *unlock = __atomic_load_n(&next, __ATOMIC_RELAXED);
    if (!unlock) {
        unlock = (Unlock *)original("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
        __atomic_store_n(&next, unlock, __ATOMIC_RELAXED);
    }
    if (__tsan_release) __tsan_release(self);
    unlock(self);
}
