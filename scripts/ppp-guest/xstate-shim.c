/* LD_PRELOAD for Debian's user-mode-linux on processors with AMX. That kernel hands 2696 bytes to PTRACE_SETREGSET
 * NT_X86_XSTATE, and the host, which wants the whole XSAVE area there, says EFAULT. Here the area is read, the given
 * part of it replaced, and all of it written. No header is needed, so that any C compiler will do, and no libc of ours.
 * The caller's prototype has `...`; on x86-64 four arguments of this size come in the same registers. */
typedef unsigned long size_t;
struct iovec { void *base; size_t length; };
extern long syscall(long number, ...);
extern void *memcpy(void *to, const void *from, size_t length);

enum { SYS_PTRACE = 101, PEEK_FIRST = 1, PEEK_LAST = 3, GETREGSET = 0x4204, SETREGSET = 0x4205, NT_X86_XSTATE = 0x202 };
enum { XSTATE_BV = 512 / sizeof(long), UP_TO_ZMM = 0xe7 };

static char whole[32768] __attribute__((aligned(64)));
static size_t wholeLength;

long ptrace(long request, long pid, void *address, void *data)
{
  if (request == SETREGSET && (long)address == NT_X86_XSTATE) {
    struct iovec *given = data;
    struct iovec all = { whole, sizeof whole };
    if (wholeLength == 0) {
      if (syscall(SYS_PTRACE, GETREGSET, pid, address, &all) < 0) return -1;
      wholeLength = all.length;
    }
    if (given->length < wholeLength) {
      memcpy(whole, given->base, given->length);
      ((unsigned long *)whole)[XSTATE_BV] &= UP_TO_ZMM; /* the given part knows of nothing beyond */
      all.length = wholeLength;
      return syscall(SYS_PTRACE, request, pid, address, &all);
    }
  }
  /* libc gives the word, the system call writes it. */
  if (request >= PEEK_FIRST && request <= PEEK_LAST) {
    long word;
    long result = syscall(SYS_PTRACE, request, pid, address, &word);
    return result < 0 ? result : word;
  }
  return syscall(SYS_PTRACE, request, pid, address, data);
}
