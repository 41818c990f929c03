import { once } from 'node:events';
import { connect } from 'node:net';
import { bridge, type IncomingChannelHandler } from '@viassh/core';

/** Joins each channel to a connection of its own to the agent; refuses it when no agent answers there. */
export function bridgeToAgent(path: string): IncomingChannelHandler {
  return async (incoming) => {
    const socket = connect({ path });
    socket.on('error', () => undefined); // what it means for the channel, the bridge sees
    try {
      await once(socket, 'connect');
    } catch {
      socket.destroy();
      return incoming.refuse('the agent does not answer');
    }
    const channel = incoming.accept();
    channel.once('end', () => socket.end());
    try {
      await bridge(channel, { input: socket, output: socket }).done;
    } catch {
      // the channel failed with its connection, or the agent went away in the middle
    } finally {
      channel.destroy();
      socket.destroy();
    }
  };
}
