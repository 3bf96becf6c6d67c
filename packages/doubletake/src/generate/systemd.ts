/** systemd: a unit with what systemd can take away from a service that needs nothing but the network. */

export interface UnitOptions {
  /** What it runs: `mirror` a configuration, or `tap` an interface. */
  command: 'mirror' | 'tap';
  /** The words of the command line, from the program on. None of them may hold blanks, quotes, `%` or `$`. */
  commandLine: readonly string[];
  /** The command reads the network card itself (`--interface`, `receive: ring`, the tap), which takes CAP_NET_RAW. */
  captures: boolean;
  /** File to which output goes; absent, the journal has it. */
  logFile?: string;
}

/** The text of the unit. The user `doubletake` has to exist; the folders are made by systemd. */
export function systemdUnit({ command, commandLine, captures, logFile }: UnitOptions): string {
  const what = { mirror: 'replays a copy of production traffic to a test environment', tap: 'sends a copy of this host\'s traffic to a mirror' };
  const capability = captures ? 'CAP_NET_RAW' : '';
  const output = logFile === undefined ? '' : `StandardOutput=append:${logFile}\nStandardError=append:${logFile}\n`;
  const isMirror = command === 'mirror';
  const secrets = '# Secrets such as DOUBLETAKE_KEY, one NAME=value a line, readable by root alone.\nEnvironmentFile=-/etc/doubletake/environment\n';
  return `[Unit]
Description=doubletake ${command}: ${what[command]}
Wants=network-online.target
After=network-online.target
# What it sends to may be away for hours: it is tried again as long as it takes.
StartLimitIntervalSec=0

[Service]
Type=exec
User=doubletake
Group=doubletake
${isMirror ? secrets : ''}ExecStart=${commandLine.join(' ')}
${isMirror ? 'ExecReload=/bin/kill -HUP $MAINPID\n' : ''}${output}WorkingDirectory=/var/lib/doubletake
StateDirectory=doubletake
UMask=0077
Restart=always
RestartSec=5
# ${isMirror ? 'What is under way is finished first (drain, 10 s), and the ledger written.' : 'The counts are printed first.'}
TimeoutStopSec=30
KillMode=mixed

# ${isMirror ? 'A connection takes a descriptor; the host comes first when memory is short.' : 'The host comes first. Processor time is bounded by --cpu.'}
LimitNOFILE=65536
LimitCORE=0
TasksMax=512
MemoryMax=${isMirror ? '85%' : '256M'}
OOMScoreAdjust=500

# Least privilege.
AmbientCapabilities=${capability}
CapabilityBoundingSet=${capability}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateIPC=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
# Netlink names the host's interfaces.${captures ? ' Packets are read from AF_PACKET.' : ''}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK${captures ? ' AF_PACKET' : ''}
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: Node makes machine code while it runs.

[Install]
WantedBy=multi-user.target
`;
}
