/** exim.conf(5) of a server at which mail arrives: everything else is left out. */
export function receiverConfig({ name, domain, port, arrived }: EximPlaces): string {
  return `primary_hostname = ${name}
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
domainlist arriving = ${domain}
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data
tls_advertise_hosts =
smtputf8_advertise_hosts = *
message_size_limit = 64M
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
rfc1413_query_timeout = 0s
keep_environment =

begin acl
check_rcpt:
  defer message = not now
        local_parts = ^later
  deny  message = no such mailbox
        local_parts = ^refused
  accept domains = +arriving
  deny  message = relay not permitted
check_data:
  deny  message = this content is not wanted
        condition = \${if eq{$h_X-Fate:}{refused}}
  defer message = not now
        condition = \${if eq{$h_X-Fate:}{later}}
  accept

begin routers
arrive:
  driver = accept
  domains = +arriving
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = ${arrived}
  maildir_format
  user = Debian-exim
  envelope_to_add
  return_path_add

begin retry
* * F,1d,1s
`;
}

/** The answers of Debian's configuration questions: a site that sends everywhere. */
export function debianAnswers({ domain, port }: EximPlaces, split: boolean): string {
  return `dc_eximconfig_configtype='internet'
dc_other_hostnames='${domain}'
dc_local_interfaces='127.0.0.1.${port}'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='${split}'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
`;
}

/** Where one exim is. */
export interface EximPlaces {
  /** What it calls itself. */
  readonly name: string;
  readonly domain: string;
  readonly port: number;
  /** The Maildir for all that arrives. */
  readonly arrived: string;
}
