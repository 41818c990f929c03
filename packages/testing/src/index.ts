export type { Sshd, SshdOptions } from './sshd/sshd.ts';
export { startSshd } from './sshd/start-sshd.ts';
export { findProgram, findSshd, missingForSshd, type SshdProgram } from './sshd/find-sshd.ts';
export { generateKey, type KeyPair, type KeyType } from './sshd/keys.ts';
export { makeScratchFolder, type ScratchFolder } from './sshd/scratch-folder.ts';

export { missingForTun, startTunServer, type TunDevice, type TunServer } from './tun/tun-server.ts';
export { createFakeDevice, type FakeDevice, type FakeDeviceOptions } from './tun/fake-device.ts';
export { type EchoReply, echoReply, type EchoRequest, echoRequest } from './tun/echo-packets.ts';

export { type XvfbOptions, type Xvfb, type XWindow, missingForXvfb, startXvfb } from './x11/start-xvfb.ts';
export { coloursOf, toPng, type XImage } from './x11/x-image.ts';
export { type AuthorityEntry, type AuthorityFamily, authorityFile } from './x11/authority-file.ts';

export {
  missingForPrivateNetwork,
  type PrivateNetwork,
  type ServeOptions,
  startPrivateNetwork,
} from './network/private-network.ts';
export { missingForNamespacePair, type NamespacePair, startNamespacePair } from './network/start-namespace-pair.ts';
export { type NetworkState, networkState } from './network/network-state.ts';
export { missingForPppGuest } from './ppp/find-ppp-guest.ts';
export { type PppGuest, type PppGuestUser, startPppGuest } from './ppp/start-ppp-guest.ts';

export { createMailbox, type Mailbox, missingForDovecot } from './dovecot/create-mailbox.ts';
export type { MailboxMessage } from './dovecot/messages.ts';

export { type EximOptions, missingForExim, startExim } from './exim/start-exim.ts';
export { missingForPostfix, startPostfix } from './postfix/start-postfix.ts';
export type { ArrivedMail } from './mail/arrived-mail.ts';
export type { MailServer } from './mail/mail-server.ts';

export { createMemoryTransport, memoryRoute, type MemoryTransport } from './memory/memory-transport.ts';
export { makeHostKey, type MemoryServer, type MemoryServerOptions } from './memory/memory-server.ts';
export type { MemoryLogin } from './memory/memory-login.ts';
export type { FarEnd, FarSession } from './memory/far-end.ts';

export {
  complianceAreas,
  type ComplianceOptions,
  testTransportCompliance,
} from './compliance/test-transport-compliance.ts';
export type { ComplianceArea, ComplianceBench, ComplianceCase } from './compliance/compliance-case.ts';
export {
  type ComplianceHarness,
  complianceSecret,
  type ComplianceServer,
  type ComplianceServerOptions,
} from './compliance/harness.ts';
export { memoryHarness } from './compliance/memory-harness.ts';
export { sshdHarness, type SshdHarnessOptions } from './compliance/sshd-harness.ts';
export { supervisedHarness } from './compliance/supervised-harness.ts';

export { watchLeaks } from './leaks/watch-leaks.ts';
export { findLeaks, type Inventory, type InventoryOptions, takeInventory } from './leaks/inventory.ts';

export { freePort } from './processes/free-port.ts';
export { type NotifySocket, startNotifySocket } from './processes/notify-socket.ts';
export { waitUntil, type WaitOptions } from './processes/wait-until.ts';
export { missingForPrivateSystem } from './processes/private-system.ts';
export { descendantsOf, listProcesses, type ProcessEntry } from './processes/processes.ts';

export { type FaultyRelay, type FaultyRelayOptions, startFaultyRelay } from './faults/start-faulty-relay.ts';
export { FaultyWire } from './faults/faulty-wire.ts';
export type { WireConditions, WireCut, WireDirection, WirePhase, WirePoint } from './faults/wire-conditions.ts';
export { type Rudeness, type RudeServer, startRudeServer } from './faults/rude-server.ts';
export { createFakeClock, type FakeClock, type FakeTimer } from './faults/fake-clock.ts';
export { faultAreas, type FaultOptions, testTransportFaults } from './faults/test-transport-faults.ts';
export type { FaultArea, FaultBench, FaultCase } from './faults/fault-case.ts';
