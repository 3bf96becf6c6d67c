/**
 * What mirroring costs in a month of 730 hours, by AWS's list prices: sessions by the hour, load balancer by the hour
 * and by what goes through it, and what crosses zones. The mirrors' own instances are whatever they are.
 */

/**
 * List prices in US dollars of us-east-1, as they were in 2025. Other regions differ, some by a half:
 * https://aws.amazon.com/vpc/pricing/ (Network Analysis), /elasticloadbalancing/pricing/, /ec2/pricing/on-demand/.
 */
export const prices = {
  region: 'us-east-1',
  sessionHour: 0.015,
  balancerHour: 0.0225,
  /** Of a network load balancer's capacity unit: 1 GB of UDP in an hour, or 400 new and 50,000 active flows. */
  capacityUnitHour: 0.006,
  /** On each side of a border between zones. */
  gigabyteAcrossZones: 0.01,
} as const;

export interface CostInput {
  /** Interfaces that are mirrored. */
  sessions: number;
  /** Of production, requests and responses together, on average. */
  bytesPerSecond: number;
  /** On average; VXLAN adds 50 bytes to each. */
  bytesPerPacket: number;
  /** Zones that the sources and the mirrors are spread over evenly. */
  zones: number;
  balanced: boolean;
  prices: { sessionHour: number; balancerHour: number; capacityUnitHour: number; gigabyteAcrossZones: number };
}

export interface CostLine {
  what: string;
  /** How it is reckoned. */
  because: string;
  /** US dollars a month. */
  dollars: number;
}

const hours = 730;
const secondsInHour = 3_600;
const gigabyte = 1e9;
/** Outer Ethernet, IPv4, UDP and VXLAN. */
const encapsulationBytes = 50;
const bytesPerUnitHour = 1e9;

export function monthlyCost({ sessions, bytesPerSecond, bytesPerPacket, zones, balanced, prices: price }: CostInput): CostLine[] {
  const mirrored = bytesPerSecond * (1 + encapsulationBytes / bytesPerPacket);
  const perHour = mirrored * secondsInHour;
  const monthly = (perHour * hours) / gigabyte;
  const crossing = monthly * (1 - 1 / zones);
  const units = perHour / bytesPerUnitHour;
  const amount = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return [
    { what: 'sessions', because: `${sessions} × ${hours} h × $${price.sessionHour}`, dollars: sessions * hours * price.sessionHour },
    ...(balanced
      ? [
          { what: 'load balancer', because: `${hours} h × $${price.balancerHour}`, dollars: hours * price.balancerHour },
          {
            what: 'through the load balancer',
            because: `${amount(units)} capacity units × ${hours} h × $${price.capacityUnitHour}`,
            dollars: units * hours * price.capacityUnitHour,
          },
        ]
      : []),
    {
      what: 'across zones',
      because: `${amount(crossing)} of ${amount(monthly)} GB × 2 × $${price.gigabyteAcrossZones}`,
      dollars: crossing * 2 * price.gigabyteAcrossZones,
    },
  ];
}
