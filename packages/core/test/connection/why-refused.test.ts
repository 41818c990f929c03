import { type OpenRefusal, channelRefused, openFailure, ViasshError, whyRefused } from '@viassh/core';
import t from 'tap';

const opening = { type: 'direct-tcpip', host: 'db', port: 5432 } as const;

function why(reason: number | undefined, said: string): OpenRefusal {
  return whyRefused(channelRefused(opening, reason, said));
}

t.test('what sshd says of a port that it did not reach is told apart', async (t) => {
  const { connectFailed, prohibited, resourceShortage } = openFailure;
  t.equal(why(connectFailed, 'Connection refused'), 'connection-refused');
  t.equal(why(connectFailed, 'No route to host'), 'host-unreachable');
  t.equal(why(connectFailed, 'Network is unreachable'), 'network-unreachable');
  t.equal(why(connectFailed, 'Connection timed out'), 'timed-out');
  t.equal(why(connectFailed, 'Name or service not known'), 'name-unknown');
  t.equal(why(connectFailed, 'Temporary failure in name resolution'), 'name-unknown');
  t.equal(why(connectFailed, ''), 'unknown');
  t.equal(why(prohibited, 'Connection refused'), 'prohibited', 'the reason comes before the words');
  t.equal(why(resourceShortage, 'timed out'), 'unknown');
});

t.test('where nobody says a reason, nor another code, none is made up', async (t) => {
  t.equal(why(undefined, 'Connection refused'), 'unknown');
  t.equal(whyRefused(new ViasshError('PROXY_FAILED', 'Connection refused')), 'unknown');
  t.equal(whyRefused(channelRefused(opening, 2, '', new Error('Connection refused'))), 'unknown');
});
