import { quoteWord, type Recipe, type RecipeSituation } from '@viassh/core';

/**
 * A recipe as a script for sh in which words stand for those of the situation: `{destination}`, `{remoteShell}`, and
 * quoted once more, for programs that split what they are given as a shell does, `{quotedRemoteShell}` and
 * `{sftpCommand}`, the remote shell with what runs the far end's sftp server.
 */
interface RecipeText {
  readonly program: string;
  readonly summary: string;
  readonly text: string;
}

/** Programs that need no code of ours: a new one is a new entry. */
const texts: readonly RecipeText[] = [
  {
    program: 'svn',
    summary: 'Subversion: svn+ssh:// in ~/.subversion/config',
    text: `# Subversion reaches svn+ssh:// through viassh; SVN_SSH in the environment goes before.
#   svn checkout svn+ssh://{destination}/srv/svn/project
# A port in such an address is not passed on: say it in ~/.ssh/config.
mkdir -p "$HOME/.subversion"
cat >>"$HOME/.subversion/config" <<'END'

[tunnels]
ssh = $SVN_SSH {remoteShell} -q --
END
`,
  },
  {
    program: 'hg',
    summary: 'Mercurial: ssh:// in ~/.hgrc',
    text: `# Mercurial reaches ssh:// through viassh.
#   hg clone ssh://{destination}//srv/hg/project
cat >>"$HOME/.hgrc" <<'END'

[ui]
ssh = {remoteShell}
END
`,
  },
  {
    program: 'unison',
    summary: 'Unison: a profile of its own, ~/.unison/viassh.prf',
    text: `# Unison reaches ssh:// through viassh, in the profile "viassh":
#   unison viassh folder ssh://{destination}//srv/folder
mkdir -p "$HOME/.unison"
printf '\\nsshcmd = %s\\n' {remoteShell} >>"$HOME/.unison/viassh.prf"
`,
  },
  {
    program: 'borg',
    summary: 'BorgBackup: BORG_RSH in ~/.profile',
    text: `# BorgBackup reaches its repositories through viassh, from the next login on.
#   borg create ssh://{destination}/./backup::name folder
cat >>"$HOME/.profile" <<'END'

export BORG_RSH={quotedRemoteShell}
END
`,
  },
  {
    program: 'restic',
    summary: 'restic: the command ~/.local/bin/restic-viassh, as restic reads no configuration',
    text: `# restic has its sftp command on the command line alone: this one gives it to it, for this one destination.
#   restic-viassh -r sftp:{destination}:backup backup folder
mkdir -p "$HOME/.local/bin"
cat >"$HOME/.local/bin/restic-viassh" <<'END'
#!/bin/sh
exec restic -o sftp.command={sftpCommand} "$@"
END
chmod 755 "$HOME/.local/bin/restic-viassh"
`,
  },
  {
    program: 'ansible',
    summary: 'Ansible: its ssh connection, in ~/.profile',
    text: `# Ansible logs in through viassh, from the next login on; files, too, go that way and not by sftp or scp.
#   ansible all -i {destination}, -m ping
cat >>"$HOME/.profile" <<'END'

export ANSIBLE_SSH_EXECUTABLE={remoteShell}
export ANSIBLE_SSH_ARGS=-C
export ANSIBLE_SSH_TRANSFER_METHOD=piped
export ANSIBLE_PIPELINING=True
END
`,
  },
  {
    program: 'sshfs',
    summary: 'sshfs: the command ~/.local/bin/sshfs-viassh, as sshfs reads no configuration',
    text: `# sshfs has its ssh on the command line alone: this one gives it to it.
#   sshfs-viassh {destination}:folder mountpoint
mkdir -p "$HOME/.local/bin"
cat >"$HOME/.local/bin/sshfs-viassh" <<'END'
#!/bin/sh
exec sshfs "$@" -o ssh_command={remoteShell}
END
chmod 755 "$HOME/.local/bin/sshfs-viassh"
`,
  },
];

/** The recipes of programs that need nothing but our remote shell. */
export const moreRecipes: readonly Recipe[] = texts.map(({ program, summary, text }) => ({
  program,
  summary,
  script: (situation) => fill(text, situation),
}));

function fill(text: string, { destination, remoteShell }: RecipeSituation): string {
  const host = destination.includes(':') ? `ssh://${destination}` : destination; // ssh knows a port in this form alone
  const words: Readonly<Record<string, string>> = {
    destination,
    remoteShell,
    quotedRemoteShell: quoteWord(remoteShell),
    sftpCommand: quoteWord(`${remoteShell} ${host} -s sftp`),
  };
  return text.replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? '');
}
