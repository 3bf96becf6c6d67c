/** The kinds of `doubletake generate` that deploy doubletake itself: templates, manifests and units. */
import { Command } from 'commander';
import { cloudFormationTemplate } from '../generate/cloudformation/template.ts';
import { version } from '../version.ts';

export function deploymentCommands(): Command[] {
  return [
    new Command('cloudformation')
      .summary('for AWS CloudFormation: the mirror behind a load balancer that is a mirror target')
      .description(
        'Prints a CloudFormation template: an Auto Scaling group of mirrors behind an internal network load balancer that is a ' +
          'traffic mirror target, with filter, alarms and logs. Its parameters are those of the stack (docs/deploying.md).',
      )
      .action(() => print(cloudFormationTemplate(version()))),
  ];
}

function print(text: string): void {
  process.stdout.write(text);
}
