import { ViasshError } from '@viassh/core';
import type { SshOption } from './ssh-getopt.ts';

/** What a caller may say for one keyword of ssh_config(5). */
export interface OptionRow {
  readonly keyword: string;
  /** Why it is taken, or why only some values are. */
  readonly why: string;
  /** The only values taken, in lower case; absent: all of them. None: it belongs into a file. */
  readonly only?: readonly string[];
}

const path = 'names a file that this user may read or write anyway';
const wire = 'says how the connection is protected; both ends have to agree';
const login = 'says which of the ways to log in are tried';
const time = 'says how long something is waited for';
const trust = 'says how the host key is judged, as its callers need it for hosts that are made anew';
const forward = 'joins sockets through the connection, as -L, -R, -D, -w and -W do';
const sharing = 'says whether the connection is shared by a control socket of this user';
const session = 'says what is asked for on the far end';
const names = 'says how a host name is looked up or completed';
const show = 'says what is shown or logged';
const old = 'means nothing to an ssh of today, and old callers give it';
const program = 'runs a program on this machine';
const library = 'loads a library into ssh';
const more = 'reads further settings, which may run programs on this machine';
const kerberos = 'says how Kerberos tickets are used';

const off = ['none'];
const no = ['no', 'false'];

/** Every keyword that a caller of the remote shell may give with `-o`; those that are not here are refused as well. */
export const optionPolicy: readonly OptionRow[] = [
  ...rows(program, ['ProxyCommand', 'LocalCommand', 'KnownHostsCommand'], off),
  ...rows('has LocalCommand run, which a configuration may set', ['PermitLocalCommand'], no),
  ...rows('is run by ssh to make X11 cookies', ['XAuthLocation'], []),
  ...rows(library, ['PKCS11Provider', 'SmartcardDevice'], off),
  ...rows(library, ['SecurityKeyProvider'], ['internal', 'none']),
  ...rows(more, ['Include', 'Match', 'Host'], []),
  ...rows('is a name, and checked as such', ['User', 'HostName', 'HostKeyAlias', 'CanonicalDomains']),
  ...rows('goes through hosts whose names are checked', ['ProxyJump']),
  ...rows('passes a descriptor instead of bytes, whatever the ProxyCommand is', ['ProxyUseFdpass']),
  ...rows('chooses among blocks of this user’s own configuration', ['Tag']),
  ...rows('makes ssh pass over keywords that it does not know', ['IgnoreUnknown']),
  ...rows('stops ssh before it connects', ['RefuseConnection']),
  ...rows('a number, or the way to it', ['Port', 'AddressFamily', 'BindAddress', 'BindInterface', 'IPQoS']),
  ...rows(time, ['ConnectTimeout', 'ConnectionAttempts', 'ServerAliveInterval', 'ServerAliveCountMax']),
  ...rows(time, ['TCPKeepAlive', 'ChannelTimeout', 'ProtocolKeepAlives', 'SetupTimeOut']),
  ...rows(path, ['IdentityFile', 'CertificateFile', 'IdentityAgent', 'IdentitiesOnly', 'AddKeysToAgent']),
  ...rows(path, ['UserKnownHostsFile', 'GlobalKnownHostsFile', 'RevokedHostKeys']),
  ...rows(trust, ['StrictHostKeyChecking', 'CheckHostIP', 'HashKnownHosts', 'UpdateHostKeys', 'VerifyHostKeyDNS']),
  ...rows(trust, ['NoHostAuthenticationForLocalhost']),
  ...rows(wire, ['Ciphers', 'MACs', 'KexAlgorithms', 'HostKeyAlgorithms', 'CASignatureAlgorithms', 'RequiredRSASize']),
  ...rows(wire, ['PubkeyAcceptedAlgorithms', 'HostbasedAcceptedAlgorithms', 'RekeyLimit', 'Compression']),
  ...rows(wire, ['PubkeyAcceptedKeyTypes', 'HostbasedKeyTypes', 'WarnWeakCrypto', 'VersionAddendum']),
  ...rows(wire, ['ObscureKeystrokeTiming']),
  ...rows(login, ['PreferredAuthentications', 'PubkeyAuthentication', 'PasswordAuthentication', 'BatchMode']),
  ...rows(login, ['KbdInteractiveAuthentication', 'KbdInteractiveDevices', 'ChallengeResponseAuthentication']),
  ...rows(login, ['NumberOfPasswordPrompts', 'SKeyAuthentication', 'TISAuthentication', 'DSAAuthentication']),
  ...rows('is done by ssh-keysign, a part of ssh', ['HostbasedAuthentication', 'EnableSSHKeysign']),
  ...rows(kerberos, ['GSSAPIAuthentication', 'GSSAPIKeyExchange', 'GSSAPIDelegateCredentials', 'GSSAPITrustDns']),
  ...rows(kerberos, ['GSSAPIClientIdentity', 'GSSAPIServerIdentity', 'GSSAPIRenewalForcesRekey']),
  ...rows(kerberos, ['GSSAPIKexAlgorithms']),
  ...rows(names, ['CanonicalizeHostname', 'CanonicalizeFallbackLocal', 'CanonicalizeMaxDots']),
  ...rows(names, ['CanonicalizePermittedCNAMEs']),
  ...rows(sharing, ['ControlMaster', 'ControlPath', 'ControlPersist']),
  ...rows(forward, ['LocalForward', 'RemoteForward', 'DynamicForward', 'ClearAllForwardings', 'PermitRemoteOpen']),
  ...rows(forward, ['ExitOnForwardFailure', 'GatewayPorts', 'StreamLocalBindMask', 'StreamLocalBindUnlink']),
  ...rows(forward, ['Tunnel', 'TunnelDevice', 'ForwardX11', 'ForwardX11Timeout', 'ForwardX11Trusted', 'ForwardAgent']),
  ...rows(session, ['RemoteCommand', 'RequestTTY', 'SendEnv', 'SetEnv', 'SessionType', 'StdinNull', 'EscapeChar']),
  ...rows('goes into the background, as -f does', ['ForkAfterAuthentication']),
  ...rows('is typed on a terminal, by a person', ['EnableEscapeCommandline']),
  ...rows(show, ['LogLevel', 'LogVerbose', 'SyslogFacility', 'FingerprintHash', 'VisualHostKey']),
  ...rows(old, [
    'Protocol',
    'Cipher',
    'CompressionLevel',
    'UsePrivilegedPort',
    'UseRsh',
    'FallBackToRsh',
    'UseRoaming',
  ]),
  ...rows(old, ['RhostsAuthentication', 'RhostsRSAAuthentication', 'RSAAuthentication', 'UseBlacklistedKeys']),
  ...rows(old, ['GlobalKnownHostsFile2', 'UserKnownHostsFile2', 'AFSTokenPassing']),
  ...rows(old, ['KerberosAuthentication', 'KerberosTGTPassing']),
];

/**
 * Holds a setting of a caller against the list; gives it back in one spelling. What only a person may say is refused:
 * a program that calls us may have had it from a file name or a URL.
 *
 * @throws ViasshError OPTION_REFUSED
 */
export function permittedOption({ keyword, value }: Setting, mayRunLocalPrograms: boolean): Setting {
  const row = byKeyword.get(keyword.toLowerCase());
  if (row === undefined) {
    throw new ViasshError('OPTION_REFUSED', `-o ${keyword} is not one of the options that a caller may give`, {
      hint: `put ${keyword} into ssh_config, or into a file that is given with -F`,
    });
  }
  if (row.only === undefined || mayRunLocalPrograms) return { keyword: row.keyword, value };
  const plain = /^"(.*)"$/s.exec(value.trim())?.[1] ?? value.trim();
  if (row.only.includes(plain.toLowerCase())) return { keyword: row.keyword, value: plain.toLowerCase() };
  throw localProgramRefused(`-o ${row.keyword}`, row.why, row.keyword);
}

/** The ssh of Fedora and its kin takes `pkcs11:…?module-path=…` for an identity. @throws ViasshError OPTION_REFUSED */
export function checkIdentityFile(option: string, value: string): void {
  if (!/^pkcs11:/i.test(value.replace(/["'\\\s]/g, ''))) return;
  throw localProgramRefused(`${option} pkcs11:`, library, 'IdentityFile');
}

/** The error for what would run here, with the ways in which a person can say it. */
export function localProgramRefused(option: string, why: string, keyword: string): ViasshError {
  return new ViasshError('OPTION_REFUSED', `${option} ${why}: a caller may not give it`, {
    hint: `put ${keyword} into ssh_config or into a file that is given with -F, or set VIASSH_ALLOW_LOCAL_COMMANDS=1`,
  });
}

/** `Key=Value` taken apart. */
export interface Setting {
  readonly keyword: string;
  /** As written, with its quotes. */
  readonly value: string;
}

/**
 * The value of `-o`: `Key=Value`, `Key Value`, `Key = Value`. What ssh reads in another way than it looks (a keyword in
 * quotes, a comment, several lines) is refused.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function readSetting(text: string): Setting {
  const match = /^[ \t]*([a-z][a-z\d]*)(?:[ \t]*=[ \t]*|[ \t]+)(\S.*)$/i.exec(text);
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (match === null || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) {
    throw new ViasshError('OPTION_INVALID', `not an option of the form Key=Value: -o ${text}`, {
      hint: 'write one line -o Key=Value, with a keyword of ssh_config(5)',
    });
  }
  return { keyword: match[1] ?? '', value: match[2] ?? '' };
}

/** Is it `-o` with this keyword, in the list's spelling? */
export function isSetting({ letter, value }: SshOption, keyword: string): boolean {
  return letter === 'o' && readSetting(value ?? '').keyword === keyword;
}

function rows(why: string, keywords: readonly string[], only?: readonly string[]): OptionRow[] {
  return keywords.map((keyword) => ({ keyword, why, ...(only === undefined ? {} : { only }) }));
}

const byKeyword: ReadonlyMap<string, OptionRow> = new Map(optionPolicy.map((row) => [row.keyword.toLowerCase(), row]));
