import { type Channel, type Connection, openFarEnd, type SessionChannel, watchStderr } from '@viassh/core';
import { awaitWelcome, type WelcomeOptions } from './await-welcome.ts';
import { type MailServer, openingOf } from './mail-server.ts';

/**
 * Reaches the server of a mailbox and resolves when it greeted, see {@link awaitWelcome}. A far end that is dialled is let
 * go of as soon as it closes its side: the protocols know no half-close. An error of the channel that nobody listens to
 * does not end the process.
 *
 * @throws ViasshError those of awaitWelcome and of openFarEnd. The channel is then closed.
 */
export async function openMailbox(
  connection: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>,
  server: MailServer,
  options: WelcomeOptions,
): Promise<Channel | SessionChannel> {
  const channel: Channel | SessionChannel = await openFarEnd(connection, server.farEnd, { signal: options.signal });
  if (!('exit' in channel)) channel.once('end', () => channel.end());
  return await greeted(channel, server, options);
}

/** The same for a channel that is there. */
export async function greeted<C extends Channel | SessionChannel>(
  channel: C,
  server: MailServer,
  options: WelcomeOptions,
): Promise<C> {
  channel.on('error', () => undefined);
  const exit = 'exit' in channel ? channel.exit : undefined;
  exit?.catch(() => undefined);
  const stderr = watchStderr('stderr' in channel ? channel.stderr : undefined, 'far end', options.log);
  try {
    const opening = openingOf(server);
    if (opening !== '') channel.write(opening);
    await awaitWelcome({ output: channel, stderr, exit }, server, options);
    return channel;
  } catch (error) {
    channel.destroy();
    throw error;
  }
}
