import process from 'node:process';
import { ViasshError } from '@viassh/core';

/** What is called when a descriptor has something: `error` is a negated errno, 0 for none. */
type Readiness = (error: number) => void;

/** A descriptor in Node's own event loop. */
export interface Readable {
  /** `false`: only its end is told. */
  watch(forData: boolean): void;
  close(): void;
}

/** The system calls that Node does not have. Results are the C library's: -1 for an error, then `errno()`. */
export interface KernelCalls {
  ioctl(fd: number, request: number, argument: Buffer | number): number;
  read(fd: number, into: Buffer, length: number): number;
  write(fd: number, from: Buffer, length: number): number;
  socket(domain: number, type: number, protocol: number): number;
  errno(): number;
  /** Begins watched for data. `ready` is called outside of Node's turns: it may do no more than `setImmediate`. */
  poll(fd: number, ready: Readiness): Readable;
}

let loaded: Promise<KernelCalls> | undefined;

/**
 * Loads the C library through koffi, once a process.
 *
 * @throws ViasshError LIBRARY_MISSING
 */
export function loadKernelCalls(): Promise<KernelCalls> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<KernelCalls> {
  const koffi = await import('koffi').then(
    (module) => module.default,
    (cause: unknown) => {
      throw new ViasshError('LIBRARY_MISSING', `koffi, which speaks to the kernel for us, cannot be loaded`, {
        hint: `install viassh again on this machine (${process.platform} ${process.arch}), with its optional packages`,
        cause,
      });
    },
  );
  const c = koffi.load(null);
  const ioctlPointer = c.func('int ioctl(int fd, unsigned long request, void *argument)');
  const ioctlNumber = c.func('int ioctl(int fd, unsigned long request, unsigned long argument)');
  return {
    ioctl: (fd, request, argument) =>
      (typeof argument === 'number' ? ioctlNumber : ioctlPointer)(fd, request, argument) as number,
    read: c.func('long read(int fd, void *buffer, size_t length)') as unknown as KernelCalls['read'],
    write: c.func('long write(int fd, const void *buffer, size_t length)') as unknown as KernelCalls['write'],
    socket: c.func('int socket(int domain, int type, int protocol)') as unknown as KernelCalls['socket'],
    errno: () => koffi.errno(),
    poll(fd, ready) {
      // koffi's types say (events); its source hands (status, events)
      const handler = ready as unknown as Parameters<typeof koffi.node.poll>[1];
      const handle = koffi.node.poll(fd, handler as never);
      return {
        watch: (forData) =>
          handle.start(forData ? { readable: true } : { disconnect: true }, handler as unknown as () => void),
        close: () => handle.close(),
      };
    },
  };
}
