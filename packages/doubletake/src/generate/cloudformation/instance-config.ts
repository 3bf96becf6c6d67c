/**
 * The configuration file that an instance gets, with the stack's parameters in it (for Fn::Sub). The switches among them are
 * words that the template made of the parameters, since a file cannot decide.
 */

/** Words for Fn::Sub beside the parameters, and the intrinsic functions that make them. */
export const instanceWords = `            - SampleBy: !If [SamplesByHeader, header, !If [SamplesByClient, remote-address, request]]
              SampleHeader: !If [SamplesByHeader, !Sub ', header: "\${PercentageByHeader}"', '']
              HostHeader: !If [KeepsHost, original, target]
              SanitizeKeySecret: !If [Sanitizes, !Ref SanitizeKey, '']
              SanitizePolicy: !If [Sanitizes, 'sanitize: { key: "\${DOUBLETAKE_KEY}" }', '# sanitize: the stack says no']
`;

export const instanceConfig = `# Made from the stack's parameters; the instance is replaced when they change.
sources:
  - vxlan: { listen: "0.0.0.0:4789", vni: [\${TrafficMirroringVNI}], ports: [\${FilterByDestinationPort}] }
policy:
  methods: \${ForwardMethods}
  sample: { percentage: \${ForwardPercentage}, by: \${SampleBy}\${SampleHeader} }
  \${SanitizePolicy}
targets:
  - { name: candidate, url: "\${RequestsForwardDestination}", host: \${HostHeader} }
health: "0.0.0.0:\${HealthPort}"
ledger: /var/lib/doubletake/ledger.json
`;
