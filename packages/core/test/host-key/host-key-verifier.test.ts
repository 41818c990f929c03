import t from 'tap';
import {
  createLogger,
  fingerprint,
  insecureAcceptAnyHostKey,
  type ResolvedDestination,
  verifyByFingerprint,
  verifyByKnownHosts,
} from '@viassh/core';
import { makeKey } from './make-key.ts';

const hop = { hostName: 'host' } as ResolvedDestination;
const key = makeKey('right');

t.test('the default leaves the decision to known_hosts', async (t) => {
  t.equal(verifyByKnownHosts.kind, 'known-hosts');
});

t.test('by fingerprint: these keys and no other', async (t) => {
  const verifier = verifyByFingerprint(fingerprint(makeKey('another').blob), fingerprint(key.blob));
  t.same(await verifier.verify(key, hop), { accepted: true });
  const decision = await verifier.verify(makeKey('wrong'), hop);
  t.match(decision, { accepted: false, reason: /^ssh-ed25519 SHA256:\S+ is not the expected key$/ });
});

t.test('by fingerprint: none given, none accepted', async (t) => {
  t.match(await verifyByFingerprint().verify(key, hop), { accepted: false });
});

t.test('accepting anything is said every time', async (t) => {
  const said: string[] = [];
  const verifier = insecureAcceptAnyHostKey(
    createLogger('warning', (level, message) => said.push(`${level}: ${message}`)),
  );
  t.same(await verifier.verify(key, hop), { accepted: true });
  await verifier.verify(key, hop);
  t.match(said, [/^warning: .*ssh-ed25519.* host .*without any check/, /without any check/]);
});
