/**
 * What an instance does when it starts for the first time: installs a release, writes the configuration, runs it under systemd,
 * ships its log, and tells the stack how that went. Bash inside Fn::Sub: `$name` is the shell's, `${Name}` the stack's, and
 * the parameters' patterns let no quote through.
 */
import { systemdUnit } from '../systemd.ts';
import { instanceConfig } from './instance-config.ts';

const program = '/opt/doubletake/node_modules/doubletake/bin/doubletake.js';
const configFile = '/etc/doubletake/mirror.yaml';
const logFile = '/var/log/doubletake/doubletake.log';

const unit = systemdUnit({
  command: 'mirror',
  commandLine: ['/usr/bin/node-24', program, 'mirror', configFile],
  captures: false,
  logFile,
});

/** The agent of CloudWatch: the mirror's log, and that of this script for when nothing comes up. */
const agentConfig = {
  agent: { run_as_user: 'root' },
  logs: {
    logs_collected: {
      files: {
        collect_list: [
          { file_path: logFile, log_group_name: '${LogGroup}', log_stream_name: '{instance_id}/doubletake' },
          { file_path: '/var/log/cloud-init-output.log', log_group_name: '${LogGroup}', log_stream_name: '{instance_id}/start' },
        ],
      },
    },
  },
};

/** The script. DESTDIR stands before every path that it writes to, as with `make install`. */
export const userData = `#!/bin/bash
set -euo pipefail
destination="$\{!DESTDIR:-}"
PATH="$PATH:/opt/aws/bin:/opt/aws/amazon-cloudwatch-agent/bin"

finish() {
  cfn-signal --exit-code "$?" --stack '\${AWS::StackName}' --resource InstancesGroup --region '\${AWS::Region}'
}
trap finish EXIT

install_packages() {
  dnf install --assumeyes --quiet aws-cfn-bootstrap awscli-2 amazon-cloudwatch-agent logrotate nodejs24 nodejs24-npm
}

# One release, whose digest is checked where it is known. Install scripts do not run: nothing needs them.
install_release() {
  local folder="$destination/opt/doubletake" object='\${ReleaseObject}' digest='\${ReleaseSha256}'
  export npm_config_registry='\${NpmRegistry}' npm_config_update_notifier=false
  cd "$folder"
  if [ -n "$object" ]; then
    aws s3 cp --only-show-errors "s3://$object" release.tgz
  else
    mv "$(npm-24 pack --silent 'doubletake@\${Release}')" release.tgz
  fi
  if [ -n "$digest" ]; then
    echo "$digest  release.tgz" | sha256sum --check --quiet
  fi
  echo '{ "private": true }' >package.json
  npm-24 install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error ./release.tgz
}

prepare() {
  id doubletake >/dev/null 2>&1 || useradd --system --home-dir /var/lib/doubletake --shell /sbin/nologin doubletake
  local folder
  for folder in etc/doubletake etc/systemd/system etc/sysctl.d etc/logrotate.d var/log/doubletake opt/doubletake; do
    mkdir -p "$destination/$folder"
  done
}

write_configuration() {
  local own='\${ConfigurationParameter}' secret='\${SanitizeKeySecret}' folder="$destination/etc/doubletake"
  if [ -n "$own" ]; then
    aws ssm get-parameter --region '\${AWS::Region}' --with-decryption --name "$own" --query Parameter.Value --output text >"$folder/mirror.yaml"
  else
    cat >"$folder/mirror.yaml" <<'END'
${instanceConfig}END
    echo "workers: $(nproc)" >>"$folder/mirror.yaml"
  fi
  chmod 0640 "$folder/mirror.yaml"
  chgrp doubletake "$folder/mirror.yaml"
  # Only systemd reads it, which is root, and hands it to the service.
  install -m 0600 /dev/null "$folder/environment"
  if [ -n "$secret" ]; then
    secret="$(aws secretsmanager get-secret-value --region '\${AWS::Region}' --secret-id "$secret" --query SecretString --output text)"
    echo "DOUBLETAKE_KEY=$secret" >"$folder/environment"
  fi
}

write_service() {
  cat >"$destination/etc/systemd/system/doubletake.service" <<'END'
${unit}END
  # The mirror asks for a receive buffer of this size, which bridges a pause.
  echo 'net.core.rmem_max=67108864' >"$destination/etc/sysctl.d/90-doubletake.conf"
  cat >"$destination/etc/logrotate.d/doubletake" <<'END'
${logFile} {
  size 50M
  rotate 4
  compress
  copytruncate
  missingok
}
END
}

ship_logs() {
  local file="$destination/opt/aws/amazon-cloudwatch-agent/etc/doubletake.json"
  mkdir -p "$(dirname "$file")"
  cat >"$file" <<'END'
${JSON.stringify(agentConfig, null, 2)}
END
  amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c "file:$file"
}

start() {
  sysctl --quiet --system
  systemctl daemon-reload
  systemctl enable --now logrotate.timer doubletake.service
  # Healthy is what the load balancer calls healthy. The test environment has to be there.
  curl --silent --show-error --fail --output /dev/null --retry 60 --retry-delay 5 --retry-max-time 300 --retry-all-errors 'http://127.0.0.1:\${HealthPort}/healthz'
}

install_packages
prepare
write_service
write_configuration
ship_logs
install_release
start
`;
