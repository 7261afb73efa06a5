import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { on_signed_out } from '@/api/client';
import { query_client } from '@/api/query_client';
import { current_user_query, properties_query } from '@/api/session';
import { parse_search, write_search } from '@/lib/navigate';
import { paths } from '@/lib/paths';
import { FailurePage, NotFoundPage } from './FailurePage';
import { Frame } from './Frame';

// Every page is its own chunk; `page(() => import('x'), 'XPage')` names the module and its export.
const page = lazyRouteComponent;

const root = createRootRoute({
  component: Outlet,
  errorComponent: ({ error }) => <FailurePage error={error} />,
  notFoundComponent: NotFoundPage,
});

// --- pages without a frame ------------------------------------------------------------------------------------------

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  beforeLoad: async () => {
    const properties = await query_client.ensureQueryData(properties_query);
    if (properties['has-user-setup']) throw redirect({ to: '/' } as never);
  },
  component: page(() => import('@/features/setup/SetupPage'), 'SetupPage'),
});

const sign_in = createRoute({
  getParentRoute: () => root,
  path: '/auth/login',
  beforeLoad: async () => {
    const properties = await query_client.ensureQueryData(properties_query);
    if (!properties['has-user-setup']) throw redirect({ to: '/setup' } as never);
    if (await query_client.ensureQueryData(current_user_query)) throw redirect({ to: '/' } as never);
  },
  component: page(() => import('@/features/session/SignInPage'), 'SignInPage'),
});

const reset_password = createRoute({
  getParentRoute: () => root,
  path: '/auth/reset_password/$token',
  component: page(() => import('@/features/session/ResetPasswordPage'), 'ResetPasswordPage'),
});

// --- pages for people who are signed in -----------------------------------------------------------------------------

async function require_person({ location }: { location: { href: string } }) {
  const [properties, user] = await Promise.all([
    query_client.ensureQueryData(properties_query),
    query_client.ensureQueryData(current_user_query),
  ]);
  if (!properties['has-user-setup']) throw redirect({ to: '/setup' } as never);
  if (!user) throw redirect({ href: paths.sign_in(location.href) } as never);
  return { user };
}

const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  beforeLoad: require_person,
  component: Frame,
  errorComponent: ({ error }) => <FailurePage error={error} />,
});

const admin = createRoute({
  getParentRoute: () => root,
  path: '/admin',
  beforeLoad: async (context) => {
    const { user } = await require_person(context as never);
    if (!user.is_superuser) throw redirect({ to: '/' } as never);
  },
  component: page(() => import('./AdminFrame'), 'AdminFrame'),
  errorComponent: ({ error }) => <FailurePage error={error} />,
});

type Loader = () => Promise<Record<string, unknown>>;

function framed(path: string, load: Loader, name: string) {
  return createRoute({ getParentRoute: () => frame, path, component: page(load as never, name as never) });
}

function administered(path: string, load: Loader, name: string) {
  return createRoute({ getParentRoute: () => admin, path, component: page(load as never, name as never) });
}

function moved(path: string, to: string) {
  return createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: () => {
      throw redirect({ to } as never);
    },
  });
}

const home = () => import('@/features/home/HomePage');
const browse = () => import('@/features/browse/pages');
const collection = () => import('@/features/collections/CollectionPage');
const trash = () => import('@/features/collections/TrashPage');
const question = () => import('@/features/question/QuestionPage');
const sql = () => import('@/features/sql/SqlPage');
const builder = () => import('@/features/builder/BuilderPage');
const dashboard = () => import('@/features/dashboard/DashboardPage');

const framed_pages = [
  framed('/', home, 'HomePage'),
  framed('/browse/databases', browse, 'DatabasesPage'),
  framed('/browse/databases/$idSlug', browse, 'DatabasePage'),
  framed('/browse/databases/$idSlug/schema/$schema', browse, 'SchemaPage'),
  framed('/browse/models', browse, 'ModelsPage'),
  framed('/browse/metrics', browse, 'MetricsPage'),
  framed('/collection/$idSlug', collection, 'CollectionPage'),
  framed('/trash', trash, 'TrashPage'),
  framed('/search', () => import('@/features/search/SearchPage'), 'SearchPage'),
  framed('/account/profile', () => import('@/features/account/AccountPage'), 'AccountPage'),
  // The ad-hoc question; the query is in the hash.
  framed('/question', question, 'QuestionPage'),
  framed('/question/notebook', builder, 'BuilderPage'),
  framed('/question/native', sql, 'SqlPage'),
  framed('/question/$idSlug', question, 'QuestionPage'),
  // Models and metrics are cards too.
  framed('/model/$idSlug', question, 'QuestionPage'),
  framed('/metric/$idSlug', question, 'QuestionPage'),
  // The saved question opened in the builder or the SQL editor.
  framed('/question/$idSlug/notebook', builder, 'BuilderPage'),
  framed('/question/$idSlug/native', sql, 'SqlPage'),
  framed('/dashboard/$idSlug', dashboard, 'DashboardPage'),
];

const settings = () => import('@/features/admin/settings/SettingsPage');
const admin_databases = () => import('@/features/admin/databases/pages');
const admin_people = () => import('@/features/admin/people/pages');
const admin_permissions = () => import('@/features/admin/permissions/pages');

const admin_pages = [
  administered('/settings/general', settings, 'GeneralSettingsPage'),
  administered('/settings/auth', settings, 'AuthSettingsPage'),
  administered('/databases', admin_databases, 'DatabaseListPage'),
  administered('/databases/create', admin_databases, 'DatabaseCreatePage'),
  administered('/databases/$id', admin_databases, 'DatabaseEditPage'),
  administered('/people', admin_people, 'PeoplePage'),
  administered('/people/groups', admin_people, 'GroupsPage'),
  administered('/permissions/data', admin_permissions, 'DataPermissionsPage'),
  administered('/permissions/collections', admin_permissions, 'CollectionPermissionsPage'),
  administered('/updates', () => import('@/features/admin/updates/UpdatesPage'), 'UpdatesPage'),
  administered('/updates/backups', () => import('@/features/admin/updates/BackupsPage'), 'BackupsPage'),
  administered('/updates/parked', () => import('@/features/admin/updates/ParkedPage'), 'ParkedPage'),
  administered('/updates/nodes', () => import('@/features/admin/updates/NodesPage'), 'NodesPage'),
  administered('/updates/history', () => import('@/features/admin/updates/HistoryPage'), 'HistoryPage'),
  administered('/api-keys', () => import('@/features/admin/api_keys/ApiKeysPage'), 'ApiKeysPage'),
];

const redirects = [
  moved('/admin/', '/admin/settings/general'),
  moved('/admin/settings', '/admin/settings/general'),
  moved('/admin/permissions', '/admin/permissions/data'),
  moved('/browse', '/browse/databases'),
  moved('/account', '/account/profile'),
  moved('/question/new', '/question/notebook'),
];

const tree = root.addChildren([setup, sign_in, reset_password, frame.addChildren(framed_pages), admin.addChildren(admin_pages), ...redirects]);

export const router = createRouter({
  routeTree: tree,
  parseSearch: parse_search,
  stringifySearch: write_search,
  defaultPreload: false,
  scrollRestoration: true,
  defaultErrorComponent: ({ error }) => <FailurePage error={error} />,
  defaultNotFoundComponent: NotFoundPage,
});

on_signed_out(() => {
  query_client.setQueryData(current_user_query.queryKey, null);
  const here = window.location.pathname + window.location.search + window.location.hash;
  if (!window.location.pathname.startsWith('/auth/')) void router.navigate({ href: paths.sign_in(here) } as never);
});
