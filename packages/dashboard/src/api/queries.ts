/** What the views ask the server for, by name. The event stream (live.ts) keeps what is asked for here up to date. */
import { keepPreviousData, MutationCache, QueryCache, QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { InfiniteData, UseInfiniteQueryResult, UseMutationResult, UseQueryResult } from '@tanstack/react-query';
import type { ClusterDetail, ClusterList } from '../../../doubletake/src/server/api/clusters.ts';
import type { Changed, ChangeList, Control } from '../../../doubletake/src/server/api/control.ts';
import type { EndpointList } from '../../../doubletake/src/server/api/endpoints.ts';
import type { History, Overview } from '../../../doubletake/src/server/api/overview.ts';
import type { ReplayAgainAnswer, RequestDetail, RequestList } from '../../../doubletake/src/server/api/requests.ts';
import type { RuleInput, RuleList, RulePreview } from '../../../doubletake/src/server/api/rules.ts';
import type { Session } from '../../../doubletake/src/server/api/session.ts';
import type { Traffic } from '../../../doubletake/src/server/api/traffic.ts';
import { ApiError, ask } from './client.ts';

/** Of the history that the event stream goes on with; what is longer is asked for anew as the server adds to it. */
export const liveSeconds = 900;
const pollMs = 2_000;
/** While nobody looks at the page it has no event stream; its title still says the verdict. */
const hiddenPollMs = 30_000;
const pageRows = 200;

/** Answers of a server that was there; a connection that is gone is the banner's business, and is tried again with it. */
export function newQueryClient(): QueryClient {
  // A session that has ended meanwhile leads back to the login.
  const onError = (error: Error): void => {
    if (error instanceof ApiError && error.status === 401) void client.invalidateQueries({ queryKey: ['session'] });
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 1_000,
        gcTime: 5 * 60_000,
        networkMode: 'always',
        retry: (failures, error) => failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
        retryDelay: 500,
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}

export function useSession(): UseQueryResult<Session> {
  return useQuery({ queryKey: ['session'], queryFn: ({ signal }) => ask<Session>('/api/session', { signal }), staleTime: Infinity });
}

export function useLogin(): UseMutationResult<Session, Error, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => ask<Session>('/api/session', { method: 'POST', body: { token } }),
    onSuccess: (session) => {
      client.setQueryData(['session'], session);
    },
  });
}

export function useLogout(): UseMutationResult<Session> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask<Session>('/api/session', { method: 'DELETE' }),
    onSuccess: (session) => {
      client.setQueryData(['session'], session);
      client.removeQueries({ predicate: ({ queryKey: [name] }) => name !== 'session' });
    },
  });
}

export function useOverview(): UseQueryResult<Overview> {
  return useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => ask<Overview>('/api/overview', { signal }),
    refetchInterval: () => (document.hidden ? hiddenPollMs : false),
    refetchIntervalInBackground: true,
  });
}

export function useHistory(seconds: number): UseQueryResult<History> {
  return useQuery({
    queryKey: ['history', seconds],
    queryFn: ({ signal }) => ask<History>(`/api/history?seconds=${seconds}`, { signal }),
    staleTime: seconds === liveSeconds ? Infinity : 1_000,
    refetchInterval: ({ state }) => (seconds === liveSeconds ? false : Math.max(pollMs, state.data?.everyMs ?? pollMs)),
    structuralSharing: false,
  });
}

export function useEndpoints(): UseQueryResult<EndpointList> {
  return useQuery({
    queryKey: ['endpoints'],
    queryFn: ({ signal }) => ask<EndpointList>('/api/endpoints', { signal }),
    structuralSharing: false,
  });
}

/** All of them: the views filter as somebody types. */
export function useClusters(): UseQueryResult<ClusterList> {
  return useQuery({
    queryKey: ['clusters'],
    queryFn: ({ signal }) => ask<ClusterList>('/api/clusters', { signal }),
    structuralSharing: false,
  });
}

export function useCluster(id: string): UseQueryResult<ClusterDetail> {
  return useQuery({
    queryKey: ['cluster', id],
    queryFn: ({ signal }) => ask<ClusterDetail>(`/api/clusters/${encodeURIComponent(id)}`, { signal }),
    staleTime: 10_000,
  });
}

export function useRules(): UseQueryResult<RuleList> {
  return useQuery({ queryKey: ['rules'], queryFn: ({ signal }) => ask<RuleList>('/api/rules', { signal }) });
}

/** `query` as the server takes it. `follow`: the newest are asked for again and again. */
export function useRequests(query: string, follow: boolean): UseInfiniteQueryResult<InfiniteData<RequestList, string | null>> {
  return useInfiniteQuery({
    queryKey: ['requests', query],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams(query);
      parameters.set('limit', String(pageRows));
      if (pageParam !== null) parameters.set('before', pageParam);
      return ask<RequestList>(`/api/requests?${parameters.toString()}`, { signal });
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    // Further pages hang on the first: asked for anew, all of them would be.
    refetchInterval: ({ state }) => (follow && (state.data?.pages.length ?? 0) <= 1 ? pollMs : false),
    placeholderData: keepPreviousData,
  });
}

export function useRequest(id: string): UseQueryResult<RequestDetail> {
  return useQuery({
    queryKey: ['request', id],
    queryFn: ({ signal }) => ask<RequestDetail>(`/api/requests/${encodeURIComponent(id)}`, { signal }),
    staleTime: 60_000,
  });
}

export function useTraffic(live: boolean): UseQueryResult<Traffic> {
  return useQuery({
    queryKey: ['traffic'],
    queryFn: ({ signal }) => ask<Traffic>('/api/traffic', { signal }),
    refetchInterval: live ? pollMs : false,
  });
}

export function useControl(): UseQueryResult<Control> {
  return useQuery({ queryKey: ['control'], queryFn: ({ signal }) => ask<Control>('/api/control', { signal }) });
}

export function useChanges(): UseQueryResult<ChangeList> {
  return useQuery({ queryKey: ['changes'], queryFn: ({ signal }) => ask<ChangeList>('/api/changes', { signal }) });
}

/** Asks what a rule would hide; nothing changes. */
export function useRulePreview(): UseMutationResult<RulePreview, Error, RuleInput> {
  return useMutation({ mutationFn: (rule: RuleInput) => ask<RulePreview>('/api/rules/preview', { method: 'POST', body: rule }) });
}

export function useAddRule(): UseMutationResult<Changed, Error, RuleInput> {
  return useChange((rule: RuleInput) => ask<Changed>('/api/rules', { method: 'POST', body: rule }));
}

export function useRemoveRule(): UseMutationResult<Changed, Error, string> {
  return useChange((name: string) => ask<Changed>(`/api/rules/${encodeURIComponent(name)}`, { method: 'DELETE' }));
}

export function useAcceptance(id: string): UseMutationResult<Changed, Error, { note: string } | null> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (acceptance: { note: string } | null) =>
      ask<Changed>(`/api/clusters/${encodeURIComponent(id)}/accepted`, acceptance === null ? { method: 'DELETE' } : { method: 'PUT', body: acceptance }),
    onSuccess: (_, acceptance) => {
      // Its endpoint is judged anew: for a moment the server knows of no such difference.
      client.setQueryData<ClusterDetail>(['cluster', id], (detail) => detail && { ...detail, cluster: { ...detail.cluster, accepted: acceptance !== null } });
      void client.invalidateQueries({ queryKey: ['rules'] });
    },
  });
}

export function useReplayChange(): UseMutationResult<Changed, Error, Control['replay']> {
  return useChange((replay: Control['replay']) => ask<Changed>('/api/control/replay', { method: 'POST', body: { replay } }));
}

export function useTargetChange(name: string): UseMutationResult<Changed, Error, number | null> {
  return useChange((percentage: number | null) =>
    ask<Changed>(`/api/control/targets/${encodeURIComponent(name)}`, { method: 'POST', body: { percentage } }),
  );
}

export function useReplayAgain(id: string): UseMutationResult<ReplayAgainAnswer, Error, string> {
  return useMutation({
    mutationFn: (target: string) => ask<ReplayAgainAnswer>(`/api/requests/${encodeURIComponent(id)}/replay`, { method: 'POST', body: { target } }),
  });
}

/** After a change what it may have touched is asked for again. */
function useChange<Input>(change: (input: Input) => Promise<Changed>): UseMutationResult<Changed, Error, Input> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ predicate: ({ queryKey: [name] }) => changeable.has(name) }),
  });
}

const changeable: ReadonlySet<unknown> = new Set(['overview', 'control', 'changes', 'rules', 'endpoints', 'clusters']);
