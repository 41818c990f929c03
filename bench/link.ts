/** A way to have remote commands run from a Node program. */
export interface Link extends AsyncDisposable {
  /** Reads all that the command writes; tells how many bytes. */
  download(command: string): Promise<number>;
  /** Milliseconds until the command's first byte; waits for its end. */
  firstByte(command: string): Promise<number>;
  /** Gives the command so many zero bytes. */
  upload(command: string, bytes: number): Promise<void>;
}

/** One cipher for all links of a race. */
export const cipher = 'aes128-gcm@openssh.com';

/** @throws Error unless the remote command ended well */
export function expectZero(code: unknown): void {
  if (code !== 0) throw new Error(`the remote command ended with ${String(code)}`);
}
