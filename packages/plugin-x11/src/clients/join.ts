import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { leave } from '@viassh/core';

/** What passed, live. */
export interface Passed {
  toDisplay: number;
  fromDisplay: number;
}

/**
 * Bytes between a client and the X server, each as fast as the other takes them. Neither half of X11 lives without the other: the end
 * of one side is the end of both, behind what was on its way. `over` is called once, when nothing passes any more.
 *
 * @param onAnswer gets what the X server sends, until it gives false
 */
export function join(
  client: Duplex,
  socket: Socket,
  passed: Passed,
  { onAnswer, over }: { onAnswer: (chunk: Buffer) => boolean; over: (error?: Error) => void },
): void {
  let looking = true;
  let failure: Error | undefined;
  let isOver = false;
  const resumeSocket = (): void => void socket.resume();
  const resumeClient = (): void => void client.resume();
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    over(failure);
  };
  client.on('data', (chunk: Buffer) => {
    if (!socket.writable) return;
    passed.toDisplay += chunk.length;
    if (socket.write(chunk)) return;
    client.pause();
    socket.once('drain', resumeClient);
  });
  socket.on('data', (chunk: Buffer) => {
    if (!client.writable) return;
    passed.fromDisplay += chunk.length;
    if (looking) looking = onAnswer(chunk);
    if (client.write(chunk)) return;
    socket.pause();
    client.once('drain', resumeSocket);
  });
  const clientLeft = (): void => void (socket.writable && socket.end());
  const serverLeft = (): void => {
    if (socket.writable) socket.end();
    if (!client.writable) return;
    client.end();
    client.once('finish', () => void leave(client)); // a client that is deaf to the end is not waited for
  };
  client.on('error', (error: Error) => (failure ??= error));
  socket.on('error', (error: Error) => (failure ??= error));
  client.on('end', clientLeft).on('close', () => {
    if (failure === undefined) void leave(socket);
    else socket.destroy();
    finish();
  });
  socket.on('end', serverLeft).on('close', () => {
    if (socket.readableEnded) serverLeft();
    else client.destroy();
    finish();
  });
  if (client.destroyed) return void socket.destroy();
  if (socket.destroyed) return void client.destroy();
  if (client.readableEnded) clientLeft();
  client.resume();
  socket.resume();
}
