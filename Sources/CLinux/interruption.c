// Handlers of signals are written here since they may run at any moment: Swift's own code may allocate, or take a lock,
// where it looks as if it only loaded a number.
#define _GNU_SOURCE
#include "clinux.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

static atomic_int first;
static atomic_int terminal_is_lent;
static atomic_int wakes_left = 20;

// A call may have begun to wait just after the signal was looked for: it is woken a little later, some times.
static void wake(int number) {
    (void)number;
    if (atomic_fetch_sub_explicit(&wakes_left, 1, memory_order_relaxed) <= 0) return;
    const struct itimerval timer = {.it_value = {.tv_usec = 50000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

void clinux_interruption_note(int number) {
    int none = 0;
    atomic_compare_exchange_strong_explicit(&first, &none, number, memory_order_relaxed, memory_order_relaxed);
    const struct sigaction kills = {.sa_handler = SIG_DFL};
    sigaction(SIGINT, &kills, NULL);
    sigaction(SIGTERM, &kills, NULL);
    sigaction(SIGHUP, &kills, NULL);
    wake(0);
}

static void caught(int number, siginfo_t *information, void *context) {
    (void)context;
    // Sent by the terminal while an editor has it: ^C is for the editor.
    const int is_typed = information != NULL && information->si_code > 0;
    if (is_typed && number == SIGINT && atomic_load_explicit(&terminal_is_lent, memory_order_relaxed)) return;
    clinux_interruption_note(number);
}

void clinux_interruption_install(void) {
    // No SA_RESTART: a read or write that waits for another program ends.
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction inherited;
    memset(&inherited, 0, sizeof inherited);
    sigaction(SIGHUP, NULL, &inherited);
    // nohup.
    if (inherited.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
    const struct sigaction wakes = {.sa_handler = wake};
    sigaction(SIGALRM, &wakes, NULL);
    const struct sigaction ignores = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignores, NULL);
    // A file-size limit becomes EFBIG of write(2), so that what was begun is removed.
    sigaction(SIGXFSZ, &ignores, NULL);
    // A parent that starts programs from worker threads hands down what those threads block.
    sigset_t heard;
    sigemptyset(&heard);
    sigaddset(&heard, SIGINT);
    sigaddset(&heard, SIGTERM);
    sigaddset(&heard, SIGHUP);
    sigaddset(&heard, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &heard, NULL);
}

int clinux_interruption_first(void) { return atomic_load_explicit(&first, memory_order_relaxed); }

void clinux_interruption_lend_terminal(int lends) {
    atomic_store_explicit(&terminal_is_lent, lends, memory_order_relaxed);
}
