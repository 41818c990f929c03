/**
 * A program that keeps a connection up, for tests that suspend it: `supervised-holder.ts CONFIG TRANSPORT PORT`. Says each
 * state it comes to: its kind, and the code of the failure.
 */
import { silentLogger, supervise } from '@viassh/core';
import { connect, type LibraryOptions } from 'viassh';

const [configFile, transport, port] = process.argv.slice(2);
const options: LibraryOptions = {
  configFile,
  transport: transport as LibraryOptions['transport'],
  port: Number(port),
  options: ['ServerAliveInterval=0'],
};
const supervisor = supervise((signal) => connect('t', { ...options, signal }), { log: silentLogger });
supervisor.onState((state) => console.log(state.kind === 'waiting' ? `waiting ${state.error.code}` : state.kind));
await supervisor.stopped;
