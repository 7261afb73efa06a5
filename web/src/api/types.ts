// Shapes of the server's answers. Keys are the server's own, so that an object can be sent back as it came.

export type CollectionId = number | 'root' | 'trash';

export interface UserSummary {
  id: number;
  email?: string;
  first_name?: string | null;
  last_name?: string | null;
  common_name?: string;
}

export interface User extends UserSummary {
  email: string;
  common_name: string;
  is_active: boolean;
  is_superuser: boolean;
  locale?: string | null;
  date_joined?: string;
  last_login?: string | null;
  updated_at?: string;
  sso_source?: string | null;
  group_ids?: number[];
  user_group_memberships?: { id: number; is_group_manager?: boolean }[];
  personal_collection_id?: number | null;
}

export interface CurrentUser extends User {
  is_installer?: boolean;
  can_write_any_collection?: boolean;
  custom_homepage?: { dashboard_id: number } | null;
  permissions?: { can_create_queries?: boolean; can_create_native_queries?: boolean };
}

export interface EngineField {
  name: string;
  'display-name'?: string;
  type?: 'string' | 'text' | 'password' | 'integer' | 'boolean' | 'select' | 'textFile' | 'section' | 'info' | 'hidden';
  required?: boolean;
  default?: unknown;
  placeholder?: string | number;
  'helper-text'?: string;
  options?: { name: string; value: unknown }[];
  'visible-if'?: Record<string, unknown>;
}

export interface Engine {
  'driver-name': string;
  'details-fields': EngineField[];
  'superseded-by'?: string | null;
}

/** GET /api/session/properties: one flat map; what is in it depends on who asks. */
export interface Properties {
  'has-user-setup': boolean;
  'setup-token'?: string | null;
  'site-name'?: string | null;
  'site-url'?: string | null;
  'site-locale'?: string | null;
  'available-locales'?: [string, string][];
  'available-timezones'?: string[];
  'password-complexity'?: Record<string, number>;
  'report-timezone'?: string | null;
  'start-of-week'?: string;
  'custom-formatting'?: Record<string, Record<string, unknown>> | null;
  'enable-password-login'?: boolean;
  'enable-public-sharing'?: boolean;
  'help-link-custom-destination'?: string | null;
  'basalt-version'?: string;
  version?: { tag?: string; date?: string; hash?: string };
  engines?: Record<string, Engine>;
  [key: string]: unknown;
}

export interface Database {
  id: number;
  name: string;
  engine: string;
  details?: Record<string, unknown>;
  description?: string | null;
  features?: string[];
  timezone?: string | null;
  is_sample?: boolean;
  is_full_sync?: boolean;
  auto_run_queries?: boolean;
  cache_ttl?: number | null;
  settings?: Record<string, unknown> | null;
  initial_sync_status?: 'incomplete' | 'complete' | 'aborted';
  sync_progress?: SyncProgress | null;
  dbms_version?: { flavor?: string; version?: string } | null;
  native_permissions?: 'write' | 'none';
  'can-manage'?: boolean;
  created_at?: string;
  updated_at?: string;
  tables?: Table[];
  is_saved_questions?: boolean;
  schedules?: Record<string, unknown>;
}

export interface SyncProgress {
  phase: 'tables' | 'fields' | 'keys' | 'fingerprints';
  done: number;
  total: number;
  table?: string;
}

export interface Table {
  /** A number, or `card__17` for a saved question used as a table. */
  id: number | string;
  db_id: number;
  db?: Database;
  name: string;
  display_name: string;
  schema: string | null;
  description?: string | null;
  entity_type?: string | null;
  visibility_type?: null | 'hidden' | 'technical' | 'cruft';
  active?: boolean;
  estimated_row_count?: number | null;
  initial_sync_status?: string;
  type?: string;
  fields?: Field[];
  metrics?: Card[];
  segments?: unknown[];
  pk_field?: number;
}

export interface Field {
  id: number;
  table_id: number | string;
  name: string;
  display_name: string;
  description?: string | null;
  base_type: string;
  effective_type?: string;
  semantic_type?: string | null;
  database_type?: string;
  fk_target_field_id?: number | null;
  visibility_type?: string;
  has_field_values?: 'list' | 'search' | 'none' | 'auto-list';
  fingerprint?: Fingerprint | null;
  position?: number;
  active?: boolean;
  settings?: Record<string, unknown> | null;
  coercion_strategy?: string | null;
  target?: Field | null;
  table?: Table;
  values?: unknown[];
  name_field?: Field | null;
  dimensions?: unknown[];
}

export interface Fingerprint {
  global?: { 'distinct-count'?: number; 'nil%'?: number };
  type?: Record<string, Record<string, unknown>>;
}

/** A column of a result. */
export interface Column {
  name: string;
  display_name: string;
  base_type: string;
  effective_type?: string;
  semantic_type?: string | null;
  source?: 'fields' | 'breakout' | 'aggregation' | 'native' | string;
  field_ref?: unknown;
  id?: number | unknown[];
  table_id?: number | string | null;
  description?: string | null;
  unit?: string;
  binning_info?: {
    binning_strategy?: string;
    bin_width?: number;
    num_bins?: number;
    min_value?: number;
    max_value?: number;
  } | null;
  aggregation_index?: number;
  expression_name?: string;
  fk_target_field_id?: number | null;
  fk_field_id?: number | null;
  fingerprint?: Fingerprint | null;
  settings?: Record<string, unknown> | null;
  visibility_type?: string;
  remapped_from?: string;
  remapped_to?: string;
}

export type Row = unknown[];

export interface Dataset {
  status: 'completed' | 'failed';
  data: {
    rows: Row[];
    cols: Column[];
    rows_truncated?: number;
    native_form?: { query: string; params?: unknown[] | null };
    results_timezone?: string;
    results_metadata?: { columns: Column[] };
    insights?: unknown;
  };
  row_count: number;
  running_time: number;
  average_execution_time?: number | null;
  cached?: string | null;
  started_at?: string;
  database_id?: number;
  context?: string;
  json_query?: unknown;
  /** Only when `status` is `failed`. */
  error?: string;
  error_type?: string;
  'ex-data'?: Record<string, unknown>;
  via?: { error?: string; message?: string }[];
}

/** A query as the server takes and gives it (legacy form, or stages). Pure functions over it live in `query/`. */
export interface DatasetQuery {
  database: number | null;
  type?: 'query' | 'native';
  query?: Record<string, unknown>;
  native?: { query: string; 'template-tags'?: Record<string, TemplateTag>; collection?: string };
  parameters?: ParameterValue[];
  'lib/type'?: string;
  stages?: unknown[];
  [key: string]: unknown;
}

export interface TemplateTag {
  id: string;
  name: string;
  'display-name': string;
  type: 'text' | 'number' | 'date' | 'boolean' | 'dimension' | 'snippet' | 'card';
  required?: boolean;
  default?: unknown;
  dimension?: unknown;
  'widget-type'?: string;
  options?: Record<string, unknown>;
  'card-id'?: number;
  'snippet-id'?: number;
  'snippet-name'?: string;
}

export interface ParameterValue {
  id?: string;
  type?: string;
  target?: unknown;
  value: unknown;
  slug?: string;
}

export interface Parameter {
  id: string;
  name: string;
  slug: string;
  type: string;
  sectionId?: string;
  default?: unknown;
  required?: boolean;
  isMultiSelect?: boolean;
  filteringParameters?: string[];
  values_query_type?: 'list' | 'search' | 'none';
  values_source_type?: null | 'static-list' | 'card';
  values_source_config?: Record<string, unknown>;
  temporal_units?: string[];
  target?: unknown;
}

export type CardType = 'question' | 'model' | 'metric';
export type VisualizationSettings = Record<string, unknown>;

export interface EditInfo {
  id?: number;
  email?: string;
  first_name?: string | null;
  last_name?: string | null;
  timestamp?: string;
}

export interface Card {
  id: number;
  entity_id?: string;
  name: string;
  description: string | null;
  type: CardType;
  display: string;
  dataset_query: DatasetQuery;
  query_type?: 'query' | 'native';
  database_id?: number | null;
  table_id?: number | null;
  visualization_settings: VisualizationSettings;
  parameters?: Parameter[];
  parameter_mappings?: unknown[];
  result_metadata?: Column[] | null;
  collection_id: number | null;
  collection?: CollectionSummary | null;
  collection_position?: number | null;
  collection_preview?: boolean;
  dashboard_id?: number | null;
  archived?: boolean;
  can_write?: boolean;
  can_restore?: boolean;
  can_delete?: boolean;
  can_run_adhoc_query?: boolean;
  creator?: UserSummary;
  creator_id?: number;
  'last-edit-info'?: EditInfo;
  average_query_time?: number | null;
  created_at?: string;
  updated_at?: string;
  view_count?: number;
  moderation_reviews?: unknown[];
  dashboard_count?: number;
}

/** What it takes to run and show a query that nobody saved yet. */
export interface UnsavedCard {
  id?: number;
  name?: string | null;
  description?: string | null;
  type?: CardType;
  display: string;
  dataset_query: DatasetQuery;
  visualization_settings: VisualizationSettings;
  parameters?: Parameter[];
  collection_id?: number | null;
  /** The saved card this one was started from. */
  original_card_id?: number;
}

export interface ParameterMapping {
  parameter_id: string;
  card_id?: number | null;
  target: unknown;
}

export interface DashCard {
  /** Negative until saved. */
  id: number;
  dashboard_id?: number;
  dashboard_tab_id?: number | null;
  card_id: number | null;
  card?: Card | { id: number } | null;
  series?: Card[];
  row: number;
  col: number;
  size_x: number;
  size_y: number;
  parameter_mappings: ParameterMapping[];
  inline_parameters?: string[] | null;
  visualization_settings: VisualizationSettings;
  entity_id?: string;
  action_id?: number | null;
}

export interface DashboardTab {
  id: number;
  name: string;
  dashboard_id?: number;
  position?: number;
}

export interface Dashboard {
  id: number;
  entity_id?: string;
  name: string;
  description: string | null;
  collection_id: number | null;
  collection?: CollectionSummary | null;
  collection_position?: number | null;
  archived?: boolean;
  parameters: Parameter[];
  dashcards: DashCard[];
  tabs: DashboardTab[];
  width?: 'fixed' | 'full';
  auto_apply_filters?: boolean;
  cache_ttl?: number | null;
  can_write?: boolean;
  can_restore?: boolean;
  can_delete?: boolean;
  param_fields?: Record<string, Field[]>;
  last_used_param_values?: Record<string, unknown>;
  'last-edit-info'?: EditInfo;
  creator?: UserSummary;
  creator_id?: number;
  view_count?: number;
  created_at?: string;
  updated_at?: string;
}

export interface CollectionSummary {
  id: CollectionId | null;
  name: string;
  slug?: string;
  location?: string | null;
  authority_level?: null | 'official';
  is_personal?: boolean;
  can_write?: boolean;
  type?: string | null;
}

export interface Collection extends CollectionSummary {
  id: CollectionId;
  description?: string | null;
  archived?: boolean;
  effective_ancestors?: CollectionSummary[];
  effective_location?: string | null;
  parent_id?: number | null;
  personal_owner_id?: number | null;
  can_restore?: boolean;
  can_delete?: boolean;
}

export interface CollectionNode extends Collection {
  children: CollectionNode[];
  here?: string[];
  below?: string[];
}

export type ItemModel = 'card' | 'dataset' | 'metric' | 'dashboard' | 'collection' | 'table' | 'database' | string;

export interface CollectionItem {
  id: number;
  model: ItemModel;
  name: string;
  is_personal?: boolean;
  description: string | null;
  archived?: boolean | null;
  collection_id?: number | null;
  collection_position?: number | null;
  collection_preview?: boolean | null;
  display?: string | null;
  database_id?: number | null;
  dashboard_count?: number;
  moderated_status?: string | null;
  can_write?: boolean;
  can_restore?: boolean;
  can_delete?: boolean;
  query_type?: string;
  location?: string | null;
  'last-edit-info'?: EditInfo | null;
}

export interface Page<T> {
  data: T[];
  total: number;
  limit?: number | null;
  offset?: number | null;
  models?: string[];
}

export interface SearchResult {
  id: number | string;
  name: string;
  model: ItemModel;
  description: string | null;
  display?: string | null;
  collection: { id: number | null; name: string | null; authority_level?: string | null } | null;
  database_id?: number | null;
  database_name?: string | null;
  table_id?: number | null;
  table_name?: string | null;
  table_schema?: string | null;
  bookmark?: boolean | null;
  moderated_status?: string | null;
  creator_common_name?: string | null;
  last_edited_at?: string | null;
  last_editor_common_name?: string | null;
  updated_at?: string;
}

export interface SearchPage extends Page<SearchResult> {
  available_models?: string[];
}

export interface RecentItem {
  id: number;
  name: string;
  model: ItemModel;
  description?: string | null;
  timestamp?: string;
  display?: string | null;
  display_name?: string;
  parent_collection?: { id: CollectionId | null; name: string | null } | null;
  database?: { id: number; name: string } | null;
}

export interface PopularItem {
  model: ItemModel;
  model_id?: number;
  id?: number;
  name: string;
  display?: string | null;
  parent_collection?: { id: CollectionId | null; name: string | null } | null;
}

export interface Bookmark {
  id: string;
  type: 'card' | 'dashboard' | 'collection';
  item_id: number;
  name: string;
  display?: string | null;
  card_type?: CardType;
  description?: string | null;
}

export interface Revision {
  id: number;
  is_reversion?: boolean;
  is_creation?: boolean;
  message?: string | null;
  user?: UserSummary;
  description?: string | null;
  title?: string;
  timestamp: string;
}

export interface Group {
  id: number;
  name: string;
  member_count: number;
  magic_group_type?: 'all-internal-users' | 'admin' | null;
}

export interface GroupMember {
  user_id: number;
  membership_id: number;
  email: string;
  first_name: string | null;
  last_name: string | null;
}

export interface GroupDetail extends Group {
  members: GroupMember[];
}

export type QueryPermission = 'no' | 'query-builder' | 'query-builder-and-native';
export type SchemaPermission = QueryPermission | Record<string, QueryPermission>;

export interface DataPermission {
  'view-data'?: string | Record<string, unknown>;
  'create-queries'?: QueryPermission | Record<string, SchemaPermission>;
  download?: unknown;
  'data-model'?: unknown;
  details?: string;
  [key: string]: unknown;
}

/** group id -> database id -> what the group may do there. */
export interface PermissionsGraph {
  revision: number;
  groups: Record<string, Record<string, DataPermission>>;
}

export type CollectionPermission = 'none' | 'read' | 'write';

export interface CollectionGraph {
  revision: number;
  groups: Record<string, Record<string, CollectionPermission>>;
}

export interface Setting {
  key: string;
  value: unknown;
  is_env_setting: boolean;
  env_name?: string;
  description?: string | null;
  default?: unknown;
}

export interface ApiKey {
  id: number;
  name: string;
  group: { id: number; name: string };
  masked_key: string;
  unmasked_key?: string;
  created_at?: string;
  updated_at?: string;
  updated_by?: UserSummary;
}

/** One step of a run: a migration, up or down. */
export interface MigrationStep {
  migration: number;
  name: string;
  direction: 'up' | 'down';
  state: string;
  rows: number;
  ms: number;
  at: string;
}

/** One run of the store from a schema to another, with what it did. */
export interface MigrationRun {
  run: number | null;
  direction: 'up' | 'down';
  from: number;
  to: number;
  state: string;
  binary: string;
  started_at: string;
  ended_at: string | null;
  rows: number;
  ms: number;
  backup: string | null;
  error: string | null;
  steps: MigrationStep[];
}

export interface Backup {
  id: string;
  path: string;
  file: string;
  bytes: number;
  kind: 'upgrade' | 'manual' | 'scheduled' | 'restore' | string;
  reason: string;
  schema: number;
  engine: 'sqlite' | 'postgres' | '';
  binary: string;
  created_at: string;
  verified_at: string | null;
  drilled_at?: string | null;
  encrypted?: boolean;
  damaged: boolean;
  tables: number;
  rows: number;
}

export interface PlanOperation {
  text: string;
  /** "finalise" waits until no older version serves any more. */
  phase?: 'now' | 'finalise';
  rows?: number;
  lock?: string;
  lock_ms?: number;
  seconds?: number;
}

export interface PlanStep {
  migration: number;
  name: string;
  direction: 'up' | 'down';
  operations: (string | PlanOperation)[];
  rows: number;
  will_park: number;
  seconds?: number | null;
}

export interface UpdatePlan {
  from: number;
  to: number;
  steps: PlanStep[];
  blocked: string | null;
  bytes_needed: number;
  bytes_free: number;
  eta_seconds: number;
  eta_p95_seconds?: number | null;
  /** Where the estimate comes from: a rehearsal, earlier runs, or a model of the engine. */
  eta_from?: 'rehearsal' | 'history' | 'model' | null;
  rehearsed_at?: string | null;
  longest_lock_ms?: number | null;
  longest_lock?: string | null;
  /** Every reason why it cannot be done now. */
  reasons?: string[];
  server_bytes_needed?: number;
  /** Where what people enter afterwards would be parked by a step down. */
  later_places?: string[];
  later_parks?: number;
}

export interface UpdateNode {
  id: string;
  name: string;
  binary: string;
  target: number;
  heartbeat: string;
  live: boolean;
  self: boolean;
}

/** What runs on the application database, or ran last since the server started. */
export interface UpdateWork {
  id: number;
  kind: 'backup' | 'verify' | 'restore' | 'finalise' | 'upload' | string;
  about: string | null;
  by: string | null;
  started_at: string;
  seconds: number;
  state: 'running' | 'done' | 'failed';
  phase: string | null;
  /** 0..1; null while nothing is known yet. */
  progress: number | null;
  step: number;
  steps: number;
  step_name: string | null;
  rows?: number;
  eta_seconds: number | null;
  error: string | null;
  result: Record<string, unknown> | null;
}

export interface Release {
  current: string;
  available: { version: string; released_at: string; class: string; notes: string } | null;
  /** The version that runs was taken back. */
  withdrawn?: boolean;
  /** "off", "not asked yet", "ok", or "failed: " and a sentence. */
  feed: string;
  checked_at: string | null;
}

export interface PendingOperation {
  migration: number;
  operation: number;
  name: string;
  description: string;
}

/** Where the data differs from what Basalt made. */
export interface Drift {
  kind: 'missing' | 'different' | 'extra';
  object: string;
  sentence: string;
  /** SQL that makes it go away; empty when there is none. */
  repair: string | null;
  blocks: boolean;
}

/** Data that a restore or an upgrade put aside. */
export interface ReplacedData {
  name: string;
  why: 'restore' | 'upgrade' | 'uploads';
  at: string;
  bytes: number;
}

export interface ParkedCount {
  table: string;
  column: string | null;
  state: 'parked' | 'superseded' | 'orphan';
  count: number;
}

export interface ParkedValue {
  id: number;
  migration: number;
  table: string;
  column: string | null;
  row: string;
  state: 'parked' | 'superseded' | 'orphan' | 'returned' | 'taken';
  kind: 'value' | 'row';
  title: string | null;
  /** {value}, {text}, {patch} or {row}; {hidden} for secrets. */
  value: unknown;
  shown: unknown;
  current: unknown;
  parked_at: string;
  can_take: boolean;
  why_not: string | null;
}

export interface ParkedPage {
  data: ParkedValue[];
  total: number;
  limit: number;
  offset: number;
  counts: ParkedCount[];
}

/** What the launcher above this server knows of versions; `launcher` false: there is none, and `how` says what to do instead. */
export interface SelfUpgrade {
  launcher: boolean;
  version: string;
  how: string | null;
  current?: string;
  previous?: string | null;
  previous_version?: string | null;
  policy?: string | null;
  available?: { version: string; class: string; released_at: string; notes: string } | null;
  due?: { decision: 'install' | 'wait' | 'no'; version?: string | null; when?: string | null; sentence: string } | null;
  run?: {
    phase: string;
    to_version: string;
    by: string;
    /** A person asked to go back. */
    back: boolean;
    tries: number;
    tries_of?: number;
    seconds_left?: number;
    error: string | null;
    started_at: string;
    ended_at: string | null;
  } | null;
  denied?: { version: string; why: string; at: string }[];
  hold?: { until: string | null; by: string; why: string } | null;
  held?: boolean;
  agent?: { policy: string; fetching: string | null; asked: boolean; done: number; expected: number; error: string | null; looks: boolean };
}

export interface Updates {
  version: string;
  schema: number;
  target: number;
  level?: number;
  compat_floor: number;
  made_by: string | null;
  engine: 'sqlite' | 'postgres';
  store_version: string | null;
  instance_id: string;
  /** Where the store stands, in words. */
  sentence: string;
  runs: MigrationRun[];
  backups: Backup[];
  parked: ParkedCount[];
  plan: UpdatePlan | null;
  way_back: UpdatePlan | null;
  warnings: string[];
  schedule: { every: string; keep: number; encrypted: boolean; folder: string; free_bytes: number };
  release: Release | null;
  work: UpdateWork | null;
  nodes?: UpdateNode[];
  pending?: PendingOperation[];
  expanded_at?: string | null;
  bake_minutes?: number;
  /** What another process does to the data right now. */
  running?: { state: string; from: number; to: number; step?: number; steps?: number; step_name?: string; rows?: number; eta_seconds?: number | null; binary?: string; pid?: number; at?: string } | null;
  lock?: { host: string; pid: number; purpose: string; since?: string } | null;
  drift?: Drift[];
  replaced?: ReplacedData[];
}

export interface FieldValues {
  values: unknown[][];
  field_id?: number;
  has_more_values?: boolean;
}
