/** What an analysis is told: the part of `compare` in the configuration that is not about who is asked. */
import type { CompareConfig } from '../../config/compare-schema.ts';

export interface AnalysisOptions
  extends Pick<
    CompareConfig,
    'policy' | 'rules' | 'endpoints' | 'bodyBytesMax' | 'noiseShare' | 'reference' | 'sameRequestWithinMs' | 'models'
  > {
  /** Ids of clusters that are accepted from the start. */
  accepted?: readonly string[];
  /** Hosts by which each version means itself, as in `DiffOptions`. */
  ownHosts?: readonly string[];
}
