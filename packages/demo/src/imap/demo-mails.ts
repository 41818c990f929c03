/** A mail as it lies in a mailbox. */
export interface DemoMail {
  /** RFC 5322, lines end in CRLF. */
  readonly raw: Buffer;
  readonly internalDate: Date;
  /** System flags with their backslash, RFC 3501 §2.3.2. */
  readonly flags: readonly string[];
}

/** The mails of the demo's INBOX, oldest first. */
export function demoMails(): DemoMail[] {
  return [
    mail('2026-03-02T08:15:00Z', ['\\Seen'], welcome),
    mail('2026-03-03T17:40:12Z', [], encoded),
    mail('2026-03-05T06:30:45Z', ['\\Flagged'], twoParts),
    mail('2026-03-09T12:00:00Z', [], dotted),
  ];
}

function mail(date: string, flags: readonly string[], text: string): DemoMail {
  return { raw: Buffer.from(text.trimStart().replaceAll('\n', '\r\n')), internalDate: new Date(date), flags };
}

const welcome = `
Return-Path: <postmaster@demo.example>
From: "Demo, the postmaster" <postmaster@demo.example>
To: You <you@demo.example>
Subject: Welcome to the mailbox at the other end
Date: Mon, 2 Mar 2026 08:15:00 +0000
Message-ID: <1.welcome@demo.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

You read this through an SSH connection. The IMAP server never asked for a
password: it greeted with PREAUTH, because SSH had already said who you are.

-- 
Demo
`;

const encoded = `
From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <juergen@demo.example>
To: You <you@demo.example>
Cc: Archive <archive@demo.example>, second@demo.example
Subject: =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4g4oCTIGbDvHIgRGljaA==?=
Date: Tue, 3 Mar 2026 18:40:12 +0100
Message-ID: <2.umlaut@demo.example>
In-Reply-To: <1.welcome@demo.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe aus K=C3=B6ln. Diese Zeile ist l=C3=A4nger als eine Zeile sein=
 soll, und geht deshalb weiter.
`;

const twoParts = `
From: Build <build@demo.example>
To: You <you@demo.example>
Subject: A report with an attachment
Date: Thu, 5 Mar 2026 06:30:45 +0000
Message-ID: <3.parts@demo.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_part_7"

This is what a reader without MIME sees.
--=_part_7
Content-Type: text/plain; charset=us-ascii

All 128 checks passed. The figures are attached.

--=_part_7
Content-Type: text/csv; name="figures.csv"
Content-Disposition: attachment; filename="figures.csv"
Content-Transfer-Encoding: base64

bmFtZSx2YWx1ZQpwYXNzZWQsMTI4CmZhaWxlZCwwCg==

--=_part_7--
`;

const dotted = `
From: "A. Reader" <reader@demo.example>
To: You <you@demo.example>
Reply-To: list@demo.example
Subject: Lines that break weak
 carriers
Date: Mon, 9 Mar 2026 12:00:00 +0000
Message-ID: <4.dots@demo.example>
Content-Type: text/plain; charset=us-ascii

From the start of a line.
.
..
* BYE a line that looks like IMAP
{5}
a1 LOGOUT
`;
