/** Where one postfix is. */
export interface PostfixPlaces {
  readonly folder: string;
  /** What it calls itself. */
  readonly name: string;
  readonly domain: string;
  readonly port: number;
  /** The folder of the Maildir for all that arrives, with a slash at its end. */
  readonly arrived: string;
}

/** Ids that no system gives out by itself: what is in the private /etc must not be somebody else's outside. */
export const ids = { postfix: 64_990, postdrop: 64_991 } as const;

/** postconf(5): mail for one domain arrives in one Maildir, mail for others waits, unless a transport map leads it elsewhere. */
export function mainConfig({ folder, name, domain, arrived }: PostfixPlaces): string {
  return `compatibility_level = 3.6
myhostname = ${name}
myorigin = ${domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
alias_maps =
alias_database =
biff = no
append_dot_mydomain = no
local_header_rewrite_clients =
smtp_tls_security_level = none
smtpd_tls_security_level = none
message_size_limit = 67108864
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_peername_lookup = no
defer_transports = smtp
smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix/fates, reject_unauth_destination
header_checks = regexp:/etc/postfix/header-fates
virtual_mailbox_domains = ${domain}
virtual_mailbox_base = ${folder}
virtual_mailbox_maps = static:${arrived}
virtual_uid_maps = static:${ids.postfix}
virtual_gid_maps = static:${ids.postfix}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
`;
}

/** access(5): the answers to RCPT by the local part. */
export const recipientFates = `/^later/ 450 4.2.0 not now
/^refused/ 550 5.1.1 no such mailbox
`;

/** header_checks(5). */
export const headerFates = `/^X-Fate: refused/ REJECT this content is not wanted
`;

/** master(5): Debian's services, none of them in a chroot, that these tests have a use for. */
export function masterConfig({ port }: PostfixPlaces): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
