// People, groups, keys, settings: what administrators do, and what nobody else may.
import assert from "node:assert/strict";
import { test } from "node:test";

import { administrator, Server, started } from "../runner/server.mjs";

const small = { environment: { MB_LOAD_SAMPLE_CONTENT: "false" } };

async function office(t, options = small) {
  const server = await started(t, options);
  await server.set_up();
  return server;
}

test("people are added, found, changed, sent away and let in again", async (t) => {
  const server = await office(t);
  const group = (await server.post("/api/permissions/group", { name: "Sales" })).body;
  const made = await server.post("/api/user", { email: "Grace@Example.com", first_name: "Grace", last_name: "Hopper", password: "Quarry-4-columns", user_group_memberships: [{ id: 1 }, { id: group.id }], login_attributes: { region: "west" } });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.equal(made.body.email, "grace@example.com");
  assert.equal(made.body.common_name, "Grace Hopper");
  assert.deepEqual(made.body.group_ids, [1, group.id]);
  assert.deepEqual(made.body.login_attributes, { region: "west" });
  const id = made.body.id;

  const twice = await server.post("/api/user", { email: "GRACE@example.com" });
  assert.equal(twice.status, 400);
  assert.deepEqual(twice.body, { errors: { email: "Email address already in use." } });
  assert.ok((await server.post("/api/user", { email: "no address" })).body.errors.email);
  assert.ok((await server.post("/api/user", { email: "x@example.com", user_group_memberships: [{ id: 99 }] })).body.errors.user_group_memberships);

  const found = (await server.get("/api/user?query=hop&limit=5&offset=0")).body;
  assert.deepEqual(found.data.map((person) => person.id), [id]);
  assert.equal(found.total, 1);
  assert.equal(found.limit, 5);
  assert.equal((await server.get("/api/user?query=%25")).body.data.length, 0, "a percent sign is no pattern");
  assert.deepEqual((await server.get(`/api/user?group_id=${group.id}`)).body.data.map((person) => person.id), [id]);

  const session = await server.sign_in("grace@example.com", "Quarry-4-columns");
  const as_grace = { session };
  assert.equal((await server.get("/api/user", as_grace)).status, 403);
  assert.equal((await server.get("/api/user/1", as_grace)).status, 403);
  assert.equal((await server.get(`/api/user/${id}`, as_grace)).status, 200);
  const renamed = await server.put(`/api/user/${id}`, { first_name: "Rear Admiral", locale: "en", is_superuser: true, user_group_memberships: [{ id: 2 }], login_attributes: { region: "all" } }, as_grace);
  assert.equal(renamed.status, 200);
  assert.equal(renamed.body.first_name, "Rear Admiral");
  assert.equal(renamed.body.is_superuser, false, "nobody makes themselves an administrator");
  assert.deepEqual(renamed.body.group_ids, [1, group.id]);
  assert.deepEqual(renamed.body.login_attributes, { region: "west" });
  assert.equal((await server.get("/api/user/current", as_grace)).body.first_name, "Rear Admiral", "what is remembered of the caller is new too");
  assert.equal((await server.get("/api/user/recipients", as_grace)).body.data.length, 2);

  assert.deepEqual((await server.delete(`/api/user/${id}`)).body, { success: true });
  assert.equal((await server.get("/api/user/current", as_grace)).status, 401, "sessions end at once");
  const disabled = await server.post("/api/session", { username: "grace@example.com", password: "Quarry-4-columns" }, { session: undefined });
  assert.equal(disabled.status, 401);
  assert.deepEqual(disabled.body, { errors: { _error: "Your account is disabled." } });
  assert.equal((await server.get("/api/user")).body.data.length, 1);
  assert.equal((await server.get("/api/user?status=deactivated")).body.data.length, 1);
  assert.equal((await server.get("/api/user?status=all")).body.data.length, 2);
  assert.equal((await server.put(`/api/user/${id}/reactivate`)).body.is_active, true);
  assert.equal((await server.put(`/api/user/${id}/reactivate`)).status, 400);
  await server.sign_in("grace@example.com", "Quarry-4-columns");

  assert.equal((await server.delete("/api/user/1")).status, 400, "the last administrator stays");
  assert.equal((await server.put("/api/user/1", { is_superuser: false })).status, 400);
  assert.equal((await server.get("/api/user/13371338")).body, "Not able to modify the internal user");
  assert.equal((await server.get("/api/user/9999")).body, "Not found.");
});

test("passwords: rules, the old one, other sessions end", async (t) => {
  const server = await office(t);
  const person = await server.add_person();
  const other_session = await server.sign_in(person.email, "Quarry-4-columns");
  const mine = { session: person.session };
  const put = (body, options = mine) => server.put(`/api/user/${person.id}/password`, body, options);
  assert.deepEqual((await put({ password: "Lagoon-7-herons" })).body, { errors: { old_password: "Invalid password" } });
  assert.deepEqual((await put({ password: "Lagoon-7-herons", old_password: "wrong" })).body, { errors: { old_password: "Invalid password" } });
  assert.deepEqual((await put({ password: "password1", old_password: "Quarry-4-columns" })).body, { errors: { password: "password is too common." } });
  const changed = await put({ password: "Lagoon-7-herons", old_password: "Quarry-4-columns" });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.success, true);
  assert.match(changed.headers.get("set-cookie"), /metabase\.SESSION=.*HttpOnly/);
  assert.equal((await server.get("/api/user/current", { session: other_session })).status, 401);
  assert.equal((await server.get("/api/user/current", mine)).status, 401);
  assert.equal((await server.get("/api/user/current", { session: changed.body.session_id })).status, 200);
  assert.equal((await put({ password: "Meadow-9-larks" }, {})).status, 204, "administrators need no old password");
  await server.sign_in(person.email, "Meadow-9-larks");
  assert.equal((await server.put("/api/user/1/password", { password: "Meadow-9-larks" }, { session: changed.body.session_id })).status, 401);
  assert.deepEqual((await server.post("/api/session/password-check", { password: "qwerty123" }, { session: null })).body, { errors: { password: "password is too common." } });
  assert.deepEqual((await server.post("/api/session/password-check", { password: "Meadow-9-larks" }, { session: null })).body, { valid: true });
  assert.equal((await server.post("/api/session/forgot_password", { email: "nobody@example.com" }, { session: null })).status, 204);
  assert.deepEqual((await server.post("/api/session/reset_password", { token: "1_x", password: "Meadow-9-larks" }, { session: null })).body, { errors: { password: "Invalid reset token" } });
  assert.deepEqual((await server.get("/api/session/password_reset_token_valid?token=1_x", { session: null })).body, { valid: false });
});

test("groups and memberships", async (t) => {
  const server = await office(t);
  const person = await server.add_person();
  const groups = (await server.get("/api/permissions/group")).body;
  assert.deepEqual(groups.map((group) => [group.id, group.magic_group_type, group.member_count]), [[2, "admin", 1], [1, "all-internal-users", 2]]);
  const sales = (await server.post("/api/permissions/group", { name: "Sales" })).body;
  assert.equal((await server.post("/api/permissions/group", { name: "sales" })).status, 400);
  assert.equal((await server.put("/api/permissions/group/1", { name: "x" })).status, 400);
  assert.equal((await server.delete("/api/permissions/group/2")).status, 400);
  assert.equal((await server.put(`/api/permissions/group/${sales.id}`, { name: "Field sales" })).body.name, "Field sales");

  const members = (await server.post("/api/permissions/membership", { group_id: sales.id, user_id: person.id })).body;
  assert.deepEqual(members.map((member) => member.user_id), [person.id]);
  assert.deepEqual((await server.get(`/api/permissions/group/${sales.id}`)).body.members, members);
  assert.equal((await server.post("/api/permissions/membership", { group_id: sales.id, user_id: 999 })).status, 404);
  const all = (await server.get("/api/permissions/membership")).body;
  assert.ok(all[person.id].some((membership) => membership.group_id === sales.id));

  const administrators = (await server.post("/api/permissions/membership", { group_id: 2, user_id: person.id })).body;
  assert.equal((await server.get("/api/setting", { session: person.session })).status, 200, "the new right holds for the running session");
  const membership = administrators.find((member) => member.user_id === person.id).membership_id;
  assert.equal((await server.delete(`/api/permissions/membership/${membership}`)).status, 204);
  assert.equal((await server.get("/api/setting", { session: person.session })).status, 403, "and ends at once");
  const last = administrators.find((member) => member.user_id === 1).membership_id;
  assert.equal((await server.delete(`/api/permissions/membership/${last}`)).status, 400);
  assert.equal((await server.put(`/api/permissions/membership/${last}`, { is_group_manager: true })).status, 402);
  assert.equal((await server.put(`/api/permissions/membership/${sales.id}/clear`, {})).status, 204);
  assert.equal((await server.get(`/api/permissions/group/${sales.id}`)).body.members.length, 0);
  assert.equal((await server.delete(`/api/permissions/group/${sales.id}`)).status, 204);
  assert.equal((await server.get(`/api/permissions/group/${sales.id}`)).body, "Not found.");
});

test("API keys are shown once, move with their group and can be replaced", async (t) => {
  const server = await office(t);
  const made = (await server.post("/api/api-key", { name: "ci", group_id: 2 })).body;
  assert.match(made.unmasked_key, /^mb_.{40,}$/);
  assert.equal(made.masked_key, `${made.unmasked_key.slice(0, 7)}****`);
  const as_key = (key) => ({ session: null, headers: { "x-api-key": key } });
  const current = (await server.get("/api/user/current", as_key(made.unmasked_key))).body;
  assert.equal(current.is_superuser, true);
  assert.equal(current.personal_collection_id, null);
  assert.equal((await server.get("/api/user")).body.data.length, 1, "its person is hidden");
  assert.equal((await server.get("/api/api-key/count")).body, 1);
  const [listed] = (await server.get("/api/api-key")).body;
  assert.equal(listed.unmasked_key, undefined);
  assert.equal(listed.updated_by.common_name, `${administrator.first_name} ${administrator.last_name}`);
  assert.equal((await server.post("/api/api-key", { name: "CI", group_id: 1 })).status, 400);
  await server.put(`/api/api-key/${made.id}`, { group_id: 1 });
  assert.equal((await server.get("/api/setting", as_key(made.unmasked_key))).status, 403);
  const renewed = (await server.put(`/api/api-key/${made.id}/regenerate`, {})).body;
  assert.equal((await server.get("/api/user/current", as_key(made.unmasked_key))).status, 401);
  assert.equal((await server.get("/api/user/current", as_key(renewed.unmasked_key))).status, 200);
  assert.equal((await server.delete(`/api/api-key/${made.id}`)).status, 204);
  assert.equal((await server.get("/api/user/current", as_key(renewed.unmasked_key))).status, 401);
});

test("settings: checked, masked, locked from outside, read by who may", async (t) => {
  const server = await office(t, { environment: { ...small.environment, MB_SITE_NAME: "From outside", MB_ENABLE_PUBLIC_SHARING: "false" } });
  const row = async (key) => (await server.get("/api/setting")).body.find((setting) => setting.key === key);
  assert.deepEqual(Object.keys(await row("site-name")).sort(), ["default", "description", "env_name", "is_env_setting", "key", "value"]);
  assert.equal((await row("site-name")).is_env_setting, true);
  const locked = await server.put("/api/setting/site-name", { value: "x" });
  assert.equal(locked.status, 400);
  assert.match(locked.body, /site-name is set by MB_SITE_NAME/);
  assert.equal((await server.get("/api/session/properties")).body["enable-public-sharing"], false, "a flag from outside is a flag");

  assert.equal((await server.put("/api/setting/start-of-week", { value: "monday" })).status, 204);
  assert.equal((await server.get("/api/setting/start-of-week")).body, "monday");
  assert.ok((await server.put("/api/setting/start-of-week", { value: "someday" })).body.errors["start-of-week"]);
  assert.ok((await server.put("/api/setting/enable-xrays", { value: "maybe" })).body.errors["enable-xrays"]);
  assert.equal((await server.put("/api/setting/no-such-thing", { value: 1 })).status, 404);
  assert.equal((await server.put("/api/setting", { "humanization-strategy": "none", "report-timezone": "Europe/Berlin" })).status, 204);
  assert.equal((await server.get("/api/setting/report-timezone")).body, "Europe/Berlin");
  await server.put("/api/setting/report-timezone", { value: null });
  assert.equal((await server.get("/api/setting/report-timezone")).status, 204);

  await server.put("/api/setting/email-smtp-password", { value: "hunter2-hunter2" });
  assert.equal((await server.get("/api/setting/email-smtp-password")).body, "**********r2");
  await server.put("/api/setting/email-smtp-password", { value: "**********r2" });
  assert.equal((await row("email-smtp-password")).value, "**********r2");
  assert.doesNotMatch(JSON.stringify((await server.get("/api/setting")).body), /hunter2/);

  const person = await server.add_person();
  const theirs = (await server.get("/api/session/properties", { session: person.session })).body;
  const nobodys = (await server.get("/api/session/properties", { session: null })).body;
  const administrators = (await server.get("/api/session/properties")).body;
  for (const key of ["email-smtp-host", "embedding-secret-key"]) {
    assert.ok(key in administrators, key);
    assert.ok(!(key in theirs) && !(key in nobodys), key);
    assert.equal((await server.get(`/api/setting/${key}`, { session: person.session })).status, 403);
  }
  assert.ok("admin-email" in theirs && !("admin-email" in nobodys));
  assert.equal(nobodys["setup-token"], null);
  assert.equal((await server.get("/api/setting/setup-token")).status, 404, "the token is no setting to read");
  assert.equal(nobodys["token-features"].sandboxes, false);
  assert.ok(nobodys.engines.postgres["details-fields"].some((field) => field.name === "host"));
  assert.ok(nobodys["available-timezones"].includes("Europe/Berlin"));
});

test("a cookie from another site's page changes nothing", async (t) => {
  const server = await office(t);
  const post = (headers) => server.post("/api/permissions/group", { name: `g${Math.random()}` }, { session: null, headers: { cookie: `metabase.SESSION=${server.session}`, ...headers } });
  assert.equal((await post({})).status, 200);
  assert.equal((await post({ origin: server.url })).status, 200);
  assert.equal((await post({ origin: "https://evil.example" })).status, 403);
  assert.equal((await post({ origin: "null" })).status, 403);
});

test("sign-in cookies: for the session or for two weeks, and gone after signing out", async (t) => {
  const server = await office(t);
  const sign_in = (remember) => server.post("/api/session", { username: "ADA@example.com", password: administrator.password, remember }, { session: null });
  const short = (await sign_in(false)).headers.getSetCookie().find((cookie) => cookie.startsWith("metabase.SESSION="));
  assert.doesNotMatch(short, /Max-Age|Secure/);
  assert.match(short, /SameSite=Lax/);
  const long = await sign_in(true);
  assert.match(long.headers.getSetCookie().find((cookie) => cookie.startsWith("metabase.SESSION=")), /Max-Age=1209600/);
  const secure = await server.post("/api/session", { username: administrator.email, password: administrator.password }, { session: null, headers: { "x-forwarded-proto": "https" } });
  assert.match(secure.headers.getSetCookie().join(), /metabase\.SESSION=[^,]*Secure/);
  const out = await server.delete("/api/session", { session: null, headers: { cookie: `metabase.SESSION=${long.body.id}` } });
  assert.equal(out.status, 204);
  assert.match(out.headers.get("set-cookie"), /metabase\.SESSION=; Expires=Thu, 1 Jan 1970/);
  assert.equal((await server.delete("/api/session", { session: long.body.id })).status, 404);
  assert.equal((await server.post("/api/session", { username: "", password: "" }, { session: null })).status, 400);
});

test("with a token of ours only those who know it can set the server up", async (t) => {
  const server = new Server({ environment: { ...small.environment, BASALT_SETUP_TOKEN: "known-to-few" } });
  t.after(() => server.close());
  await server.start();
  assert.equal((await server.get("/api/session/properties")).body["setup-token"], null, "it is not told");
  const set_up = (token) => server.post("/api/setup", { token, user: { email: "a@example.com", password: "Quarry-4-columns" }, prefs: { site_name: "x" } });
  const without = await set_up("");
  assert.equal(without.status, 400);
  assert.match(JSON.stringify(without.body), /\/setup\?token=/);
  assert.equal((await set_up("guessed")).status, 400);
  assert.equal((await set_up("known-to-few")).status, 200);
});

test("a set-up token from outside stays good for nothing but the first set-up", async (t) => {
  const server = new Server({ environment: { ...small.environment, MB_SETUP_TOKEN: "a-token-of-ours" } });
  t.after(() => server.close());
  await server.start();
  assert.equal((await server.get("/api/session/properties")).body["setup-token"], "a-token-of-ours");
  await server.set_up();
  const again = await server.post("/api/setup", { token: "a-token-of-ours", user: { email: "b@example.com", password: "Quarry-4-columns" }, prefs: { site_name: "x" } }, { session: null });
  assert.equal(again.status, 403);
  assert.equal((await server.get("/api/session/properties")).body["setup-token"], null);
  const [first] = (await server.get("/api/setup/admin_checklist")).body;
  assert.equal(first.tasks[0].is_next_step, true);
  assert.match((await server.get("/api/util/random_token")).body.token, /^[0-9a-f]{64}$/);
  assert.deepEqual((await server.get("/api/task?limit=5&offset=0")).body.limit, 5);
});
