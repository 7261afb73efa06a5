// The compose file and the manifests, as far as files can be checked: their form, that names fit together, that the probes ask what the
// server answers while it migrates, and that the server starts with the environment they give it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { eventually, root, run_command, scratch_directory, Server, started, test_postgres } from "../runner/server.mjs";
import { read_page } from "./pages.mjs";

// All documents of a YAML file.
function yaml(path) {
  const read = spawnSync("/usr/bin/python3", ["-c", "import yaml, json, sys; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))"], { input: readFileSync(join(root, "packaging", path)), encoding: "utf8" });
  assert.equal(read.status, 0, read.stderr);
  return JSON.parse(read.stdout);
}

// A small schema: an object of fields, each a type or another schema; "!" marks what must be there, [x] a list of x, "*" any name.
function check(value, schema, path, wrong) {
  if (schema === "any") return;
  if (typeof schema === "string") {
    const kinds = { text: "string", number: "number", flag: "boolean" };
    if (schema === "text-or-number" ? !["string", "number"].includes(typeof value) : typeof value !== kinds[schema]) wrong.push(`${path}: ${JSON.stringify(value)} is no ${schema}`);
    return;
  }
  if (schema instanceof RegExp) { if (!schema.test(String(value))) wrong.push(`${path}: ${value} is not like ${schema}`); return; }
  if (Array.isArray(schema)) {
    if (!Array.isArray(value)) { wrong.push(`${path}: a list is needed`); return; }
    value.forEach((one, index) => check(one, schema[0], `${path}[${index}]`, wrong));
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) { wrong.push(`${path}: an object is needed`); return; }
  for (const name of Object.keys(schema)) if (name.endsWith("!") && !(name.slice(0, -1) in value)) wrong.push(`${path}: ${name.slice(0, -1)} is missing`);
  for (const [name, one] of Object.entries(value)) {
    const inner = schema[name] ?? schema[`${name}!`] ?? schema["*"];
    if (inner === undefined) wrong.push(`${path}: there is no field ${name}`);
    else check(one, inner, `${path}.${name}`, wrong);
  }
}

const name = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, quantity = /^\d+(m|Mi|Gi)?$/, labels = { "*": "text" };
const probe = { "httpGet!": { "path!": /^\//, "port!": "text-or-number" }, periodSeconds: "number", timeoutSeconds: "number", failureThreshold: "number", initialDelaySeconds: "number" };
const environment = { "name!": /^[A-Z][A-Z0-9_]*$/, value: "text", valueFrom: { secretKeyRef: { "name!": name, "key!": name }, fieldRef: { "fieldPath!": "text" } } };
const pod = {
  restartPolicy: /^(Never|OnFailure|Always)$/, terminationGracePeriodSeconds: "number", enableServiceLinks: "flag", automountServiceAccountToken: "flag",
  securityContext: { runAsNonRoot: "flag", runAsUser: "number", runAsGroup: "number", fsGroup: "number", fsGroupChangePolicy: /^(OnRootMismatch|Always)$/, seccompProfile: { "type!": /^(RuntimeDefault|Localhost|Unconfined)$/ } },
  topologySpreadConstraints: [{ "maxSkew!": "number", "topologyKey!": "text", "whenUnsatisfiable!": /^(ScheduleAnyway|DoNotSchedule)$/, labelSelector: { matchLabels: labels } }],
  "containers!": [{
    "name!": name, "image!": /^[a-z0-9./-]+:[a-z0-9.-]+$/, args: ["text"], ports: [{ name, "containerPort!": "number" }], env: [environment], startupProbe: probe, livenessProbe: probe, readinessProbe: probe,
    resources: { requests: { cpu: quantity, memory: quantity }, limits: { cpu: quantity, memory: quantity } },
    securityContext: { allowPrivilegeEscalation: "flag", readOnlyRootFilesystem: "flag", capabilities: { drop: ["text"] } }, volumeMounts: [{ "name!": name, "mountPath!": /^\// }],
  }],
  volumes: [{ "name!": name, emptyDir: {}, persistentVolumeClaim: { "claimName!": name } }],
};
const metadata = { name, "labels": labels };
const template = { metadata: { labels }, "spec!": pod };
const kinds = {
  "v1 Service": { "spec!": { "selector!": labels, "ports!": [{ name, "port!": "number", targetPort: "text-or-number" }] } },
  "v1 Secret": { type: "text", stringData: { "*": "text" } },
  "policy/v1 PodDisruptionBudget": { "spec!": { maxUnavailable: "number", "selector!": { "matchLabels!": labels } } },
  "apps/v1 StatefulSet": {
    "spec!": {
      "serviceName!": name, replicas: "number", minReadySeconds: "number", podManagementPolicy: /^(Parallel|OrderedReady)$/, "selector!": { "matchLabels!": labels }, updateStrategy: { type: /^(RollingUpdate|OnDelete)$/ },
      "template!": template, volumeClaimTemplates: [{ metadata: { "name!": name }, "spec!": { "accessModes!": [/^ReadWrite(Once|Many)$/], "resources!": { "requests!": { "storage!": quantity } } } }],
    },
  },
  "batch/v1 Job": { "spec!": { backoffLimit: "number", "template!": template } },
};

const files = ["one-node", "several-nodes", "secret", "step-down", "plan"];
const options = JSON.parse(run_command(["help", "configuration", "--json"]).out).options;
const variables = new Set(options.flatMap((option) => option.environment));
const default_of = (option) => Number(options.find((one) => one.option === option).default);

for (const file of files) {
  test(`kubernetes/${file}.yaml has the form that Kubernetes takes`, () => {
    const wrong = [];
    for (const document of yaml(`kubernetes/${file}.yaml`)) {
      const kind = `${document.apiVersion} ${document.kind}`;
      if (!kinds[kind]) { wrong.push(`unknown: ${kind}`); continue; }
      check(document, { "apiVersion!": "text", "kind!": "text", "metadata!": metadata, ...kinds[kind] }, `${file} ${document.kind}`, wrong);
    }
    assert.deepEqual(wrong, []);
  });
}

test("the manifests' names fit together, and every variable is one that the server knows", () => {
  const secret = Object.keys(yaml("kubernetes/secret.yaml")[0].stringData);
  for (const file of files.filter((one) => one !== "secret")) {
    const documents = yaml(`kubernetes/${file}.yaml`);
    const work = documents.find((one) => one.spec?.template);
    const { spec } = work.spec.template;
    const volumes = [...(spec.volumes ?? []).map((one) => one.name), ...(work.spec.volumeClaimTemplates ?? []).map((one) => one.metadata.name)];
    for (const container of spec.containers) {
      for (const mount of container.volumeMounts) assert.ok(volumes.includes(mount.name), `${file}: the volume ${mount.name}`);
      for (const one of container.env) {
        assert.ok(variables.has(one.name), `${file}: ${one.name}`);
        if (one.valueFrom?.secretKeyRef) assert.ok(one.valueFrom.secretKeyRef.name === "basalt" && secret.includes(one.valueFrom.secretKeyRef.key), `${file}: ${one.name} is in secret.yaml`);
      }
      assert.equal(container.securityContext.allowPrivilegeEscalation, false);
      assert.equal(spec.securityContext.runAsUser, 10001, "the image's user");
    }
    if (work.kind !== "StatefulSet") continue;
    const service = documents.find((one) => one.kind === "Service");
    assert.deepEqual(work.spec.selector.matchLabels, work.spec.template.metadata.labels);
    assert.deepEqual(service.spec.selector, work.spec.template.metadata.labels);
    assert.equal(work.spec.serviceName, service.metadata.name);
    assert.ok(spec.containers[0].ports.some((port) => port.name === service.spec.ports[0].targetPort));
    assert.equal(spec.containers[0].ports[0].containerPort, default_of("port"));
    assert.equal(spec.containers[0].volumeMounts.find((one) => one.name === "data").mountPath, "/var/lib/basalt");
    assert.equal(spec.enableServiceLinks, false, "a service called basalt would set BASALT_PORT");
    // A stop that is killed loses requests.
    const value = (variable, option) => Number(spec.containers[0].env.find((one) => one.name === variable)?.value ?? default_of(option));
    assert.ok(spec.terminationGracePeriodSeconds >= value("BASALT_DRAIN_NOTICE", "drain-notice") + value("BASALT_DRAIN_TIME", "drain-time") + 10, "time to drain");
    assert.ok(!spec.containers[0].env.some((one) => one.name === "BASALT_LISTEN_EARLY"), "probes need a port that answers from the start on");
    const budget = documents.find((one) => one.kind === "PodDisruptionBudget");
    if (work.spec.replicas > 1) {
      assert.deepEqual(budget.spec.selector.matchLabels, work.spec.template.metadata.labels);
      assert.equal(budget.spec.maxUnavailable, 1);
      assert.equal(spec.containers[0].env.find((one) => one.name === "BASALT_NODE_NAME").valueFrom.fieldRef.fieldPath, "metadata.name", "each node has a name of its own");
    } else {
      assert.equal(budget, undefined, "a budget on a single pod would stop every drain of its machine");
    }
  }
});

test("the values of secret.yaml are refused", () => {
  const values = yaml("kubernetes/secret.yaml")[0].stringData;
  const data = scratch_directory();
  for (const [environment, sentence] of [[{ BASALT_ENCRYPTION_SECRET_KEY: values["encryption-key"] }, /at least 16 characters/], [{ BASALT_DATABASE_URI: values["database-uri"] }, /must begin with postgres/]]) {
    const { code, err } = run_command(["migrate", "up", "--data-dir", data], { environment });
    assert.notEqual(code, 0, JSON.stringify(environment));
    assert.match(err, sentence);
  }
  rmSync(data, { recursive: true, force: true });
});

// Probes as a kubelet makes them, compressed: every answer of 400 and more, or none, is a failure.
const ask = async (server, { httpGet }) => {
  try {
    return (await fetch(server.url + httpGet.path, { signal: AbortSignal.timeout(5000) })).status;
  } catch {
    return 0;
  }
};

test("the probes never kill a migration: a server that waits for its data is alive and not ready", { timeout: 120_000 }, async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  const made = await started(t, { environment: { BASALT_DATABASE_URI: postgres.uri, BASALT_LOAD_SAMPLE_CONTENT: "false" } });
  await made.stop();
  // Somebody holds a table that the upgrade needs.
  const holder = spawn("psql", ["-X", "-q", "-d", postgres.uri], { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => holder.kill("SIGKILL"));
  holder.stdin.write("BEGIN; LOCK TABLE basalt.upgrade_meta IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n");
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  const server = new Server({ name: "basalt-next", environment: { BASALT_DATABASE_URI: postgres.uri } });
  t.after(() => server.close());
  await server.start({ wait: false });
  for (const file of ["one-node", "several-nodes"]) {
    const container = yaml(`kubernetes/${file}.yaml`).find((one) => one.kind === "StatefulSet").spec.template.spec.containers[0];
    await eventually(async () => (await ask(server, container.startupProbe)) === 200, { what: "the start-up probe", timeout: container.startupProbe.periodSeconds * container.startupProbe.failureThreshold * 1000 });
    for (let times = 0; times < 15; ++times) {
      assert.equal(await ask(server, container.livenessProbe), 200, "alive while it migrates");
      assert.equal(await ask(server, container.readinessProbe), 503, "not ready while it migrates");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  assert.equal((await server.get("/api/health")).status, 503, "this is why no probe asks it");
  holder.stdin.end("ROLLBACK;\n");
  const container = yaml("kubernetes/several-nodes.yaml").find((one) => one.kind === "StatefulSet").spec.template.spec.containers[0];
  await eventually(async () => (await ask(server, container.readinessProbe)) === 200, { what: "ready when the migration is over", timeout: 60_000 });
  assert.equal(await ask(server, container.livenessProbe), 200);
});

test("the compose file's names fit together, and the server starts with its environment", { timeout: 120_000 }, async (t) => {
  const [compose] = yaml("compose/compose.yaml");
  const wrong = [];
  const service = {
    "image!": "text", ports: [/^127\.0\.0\.1:\d+:\d+$/], environment: { "*": "text" }, secrets: ["text"], volumes: [/^[a-z]+:\//], depends_on: { "*": { "condition!": /^service_healthy$/ } }, restart: /^unless-stopped$/,
    stop_grace_period: /^\d+[sm]$/, healthcheck: { "test!": ["text"], interval: /^\d+s$/, timeout: /^\d+s$/, retries: "number" },
  };
  check(compose, { "name!": name, "services!": { "*": service }, volumes: { "*": "any" }, secrets: { "*": { "file!": "text" } } }, "compose", wrong);
  assert.deepEqual(wrong, []);
  for (const [who, one] of Object.entries(compose.services)) {
    for (const volume of one.volumes) assert.ok(volume.split(":")[0] in compose.volumes, `${who}: the volume ${volume}`);
    for (const secret of one.secrets) assert.ok(secret in compose.secrets, `${who}: the secret ${secret}`);
    for (const other of Object.keys(one.depends_on ?? {})) assert.ok(compose.services[other].healthcheck, `${other} tells when it is healthy`);
    for (const value of Object.values(one.environment)) if (value.startsWith("/run/secrets/")) assert.ok(one.secrets.includes(value.slice(13)), `${who} has ${value}`);
  }
  const { basalt, postgres } = compose.services;
  assert.equal(basalt.environment.BASALT_DB_DBNAME, postgres.environment.POSTGRES_DB);
  assert.equal(basalt.environment.BASALT_DB_USER, postgres.environment.POSTGRES_USER);
  assert.equal(basalt.environment.BASALT_DB_PASS_FILE, postgres.environment.POSTGRES_PASSWORD_FILE);
  assert.ok(basalt.volumes.some((volume) => volume.endsWith(":/var/lib/basalt")));
  assert.ok(60 >= default_of("drain-time") + 10 && basalt.stop_grace_period === "1m");

  const database = test_postgres(t);
  if (!database) return;
  const folder = scratch_directory();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "secrets"));
  writeFileSync(join(folder, "secrets/postgres_password"), `${database.details.password || "none"}\n`);
  writeFileSync(join(folder, "secrets/encryption_key"), "0123456789abcdef0123456789abcdef\n");
  const environment = {};
  for (const [variable, value] of Object.entries(basalt.environment)) environment[variable] = value.replace(/\$\{[A-Z_]+:-([^}]*)\}/, "$1").replace("/run/secrets/", `${join(folder, "secrets")}/`);
  Object.assign(environment, { BASALT_DB_HOST: database.details.host, BASALT_DB_PORT: String(database.details.port), BASALT_DB_DBNAME: database.details.dbname, BASALT_DB_USER: database.details.user, BASALT_LOAD_SAMPLE_CONTENT: "false" });
  const server = await started(t, { environment });
  await server.set_up();
  assert.match(run_command(["doctor"], { environment: { ...environment, BASALT_DATA_DIR: server.data_directory } }).out, /application database \(PostgreSQL[^)]*\) can be opened[\s\S]*encrypted at rest, and the key fits/);
});

test("the task definition of the AWS page is JSON with names that fit", () => {
  const page = read_page("docs/install/aws.md");
  const ecs = JSON.parse(page.blocks.find((block) => block.info === "json ecs").text);
  const [container] = ecs.containerDefinitions;
  for (const { name: variable } of [...container.environment, ...container.secrets]) assert.ok(variables.has(variable), variable);
  const value = (variable, option) => Number(container.environment.find((one) => one.name === variable)?.value ?? default_of(option));
  assert.ok(container.stopTimeout >= value("BASALT_DRAIN_NOTICE", "drain-notice") + value("BASALT_DRAIN_TIME", "drain-time") + 10);
  assert.ok(container.healthCheck.command.includes("--live"), "a migration must not count as ill");
  assert.equal(container.portMappings[0].containerPort, default_of("port"));
  JSON.parse(page.blocks.find((block) => block.info === "json beanstalk").text);
});

test("words for a container are taken as one or as two, with or without the program's name", () => {
  const data = scratch_directory();
  const environment = { BASALT_DATA_DIR: data };
  assert.equal(run_command(["migrate", "up"], { environment }).code, 0);
  const wanted = run_command(["migrate", "status"], { environment });
  for (const words of [["migrate status"], ["basalt", "migrate", "status"], ["basalt", "migrate status"], ["  migrate   status  "]]) {
    const got = run_command(words, { environment });
    assert.equal(got.code, 0, got.err);
    assert.equal(got.out, wanted.out, JSON.stringify(words));
  }
  assert.match(run_command(["migrate status --jsn"], { environment }).err, /did you mean "--json"/);
  // Bare: to before the last upgrade, by either program.
  assert.equal(run_command(["migrate", "down"], { environment }).code, 20, "there was no upgrade yet");
  assert.equal(run_command(["migrate", "up"], { name: "basalt-next", environment }).code, 0);
  const schema = () => JSON.parse(run_command(["migrate", "status", "--json"], { environment }).out).schema;
  const newer = schema();
  assert.equal(run_command(["migrate down"], { name: "basalt-next", environment }).code, 0);
  const older = schema();
  assert.ok(older < newer);
  assert.equal(run_command(["migrate", "up"], { name: "basalt-next", environment }).code, 0);
  assert.equal(run_command(["migrate down"], { environment }).code, 0, "the older program goes to its own schema");
  assert.equal(schema(), older);
  rmSync(data, { recursive: true, force: true });
});
