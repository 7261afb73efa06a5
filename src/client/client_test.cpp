#include "client/client.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/failure.h"
#include "client/test_server.h"

namespace basalt::client {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::function<void()>& work) {
  try {
    work();
    return "";
  } catch (const Failure& failure) {
    return failure.sentence();
  }
}
bool says(const std::string& sentence, std::string_view part) { return sentence.find(part) != std::string::npos; }

TestServer::Answers always(std::string text) { return [text](const std::string&) { return text; }; }

TEST(Client, asks_and_gets_the_body_and_the_headers) {
  TestServer server(always(TestServer::ok("hello", "X-Word: yes\r\n")));
  auto answer = fetch({.url = server.address("/a/b?c=d"), .headers = {{"X-Api-Key", "k"}}});
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.headers.at("x-word"), "yes");
  auto asked = server.asked().at(0);
  EXPECT_TRUE(asked.starts_with("GET /a/b?c=d HTTP/1.1\r\n")) << asked;
  EXPECT_TRUE(says(asked, "X-Api-Key: k\r\n"));
  EXPECT_TRUE(says(asked, "User-Agent: basalt\r\n")) << "no version, nothing of this installation";
}

TEST(Client, posts_json_and_gives_any_status) {
  TestServer server(always("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}"));
  auto answer = post_json(server.address("/x"), R"({"a":1})", {{"X-Api-Key", "k"}});
  EXPECT_EQ(answer.status, 409u);
  EXPECT_EQ(answer.body, "{}");
  EXPECT_FALSE(answer.is_good());
  EXPECT_TRUE(says(server.asked().at(0), "Content-Type: application/json\r\n"));
  EXPECT_TRUE(server.asked().at(0).ends_with("\r\n\r\n{\"a\":1}"));
}

TEST(Client, reads_chunked_answers_and_those_that_end_with_the_connection) {
  TestServer server([](const std::string& request) {
    if (TestServer::path(request) == "/chunked") return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    return std::string("HTTP/1.1 200 OK\r\n\r\nto the end");
  });
  EXPECT_EQ(fetch_text(server.address("/chunked")), "abcde");
  EXPECT_EQ(fetch_text(server.address("/open")), "to the end");
}

TEST(Client, follows_redirections_but_not_for_ever_and_not_in_circles) {
  TestServer server([&](const std::string& request) {
    auto path = TestServer::path(request);
    if (path == "/one") return TestServer::moved("/two");
    if (path == "/two") return TestServer::moved("three", 308);
    if (path == "/three") return TestServer::ok("there");
    if (path == "/ftp") return TestServer::moved("ftp://elsewhere/");
    if (path == "/bad") return TestServer::moved("http://[");
    return TestServer::moved("/round");
  });
  EXPECT_EQ(fetch_text(server.address("/one")), "there");
  EXPECT_TRUE(says(refusal([&] { fetch_text(server.address("/round")); }), "redirects too many times"));
  EXPECT_TRUE(says(refusal([&] { fetch_text(server.address("/ftp")); }), "leads to a place that is not encrypted"));
  EXPECT_TRUE(says(refusal([&] { fetch_text(server.address("/bad")); }), "malformed"));
  EXPECT_EQ(post_json(server.address("/one"), "{}").status, 302u) << "what changes something is not sent elsewhere";
}

TEST(Client, tells_no_other_host_who_asks) {
  TestServer other(always(TestServer::ok("there")));
  TestServer server(always(TestServer::moved("http://localhost:" + other.port() + "/")));
  EXPECT_EQ(fetch({.url = server.address(), .headers = {{"X-Api-Key", "secret"}}}).body, "there");
  EXPECT_TRUE(says(server.asked().at(0), "secret"));
  EXPECT_FALSE(says(other.asked().at(0), "secret"));
}

TEST(Client, speaks_https_with_an_authority_of_ones_own) {
  TestFolder folder;
  TestCertificates certificates;
  TestServer server(always(TestServer::ok("private")), &certificates);
  Limits limits{.ca_file = folder.write("ca.pem", certificates.authority)};
  EXPECT_EQ(fetch_text(server.address(), limits), "private");
  EXPECT_EQ(fetch_text("https://localhost:" + server.port() + "/", limits), "private") << "by name too";
  EXPECT_EQ(download(server.address(), folder.path / "got", limits).sha256, sha256_hex("private"));
}

TEST(Client, refuses_certificates_that_it_has_no_reason_to_trust) {
  TestFolder folder;
  TestCertificates certificates, other, elsewhere("DNS:elsewhere.example"), old("DNS:localhost,IP:127.0.0.1", -1);
  TestServer server(always(TestServer::ok("private")), &certificates), wrong_name(always(TestServer::ok("x")), &elsewhere), expired(always(TestServer::ok("x")), &old);
  auto refused = [&](const std::string& address, const std::string& ca) { return refusal([&] { fetch_text(address, {.ca_file = ca}); }); };
  EXPECT_TRUE(says(refused(server.address(), ""), "The certificate of 127.0.0.1:" + server.port() + " is not trusted: "));
  EXPECT_TRUE(says(refused(server.address(), folder.write("other.pem", other.authority)), "is not trusted: "));
  EXPECT_TRUE(says(refused(wrong_name.address(), folder.write("elsewhere.pem", elsewhere.authority)), "is not trusted: ")) << refused(wrong_name.address(), (folder.path / "elsewhere.pem").string());
  EXPECT_TRUE(says(refused(expired.address(), folder.write("old.pem", old.authority)), "expired"));
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor plain(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::jthread once([&] {
    auto socket = plain.accept();
    boost::asio::write(socket, boost::asio::buffer(TestServer::ok("x")));
  });
  EXPECT_TRUE(says(refused("https://127.0.0.1:" + std::to_string(plain.local_endpoint().port()) + "/", ""), "speaks no HTTPS"));
  EXPECT_TRUE(says(refused(server.address(), folder.write("no.pem", "nothing")), "holds no certificates"));
  EXPECT_TRUE(server.asked().empty()) << "nothing was sent before the certificate was seen";
}

TEST(Client, does_not_leave_https_on_the_way) {
  TestFolder folder;
  TestCertificates certificates;
  TestServer plain(always(TestServer::ok("seen by all")));
  TestServer server([&](const std::string& request) { return TestServer::path(request) == "/in" ? TestServer::moved("/") : TestServer::path(request) == "/" ? TestServer::ok("in") : TestServer::moved(plain.address()); }, &certificates);
  Limits limits{.ca_file = folder.write("ca.pem", certificates.authority)};
  EXPECT_EQ(fetch_text(server.address("/in"), limits), "in");
  EXPECT_TRUE(says(refusal([&] { fetch_text(server.address("/out"), limits); }), "leads to a place that is not encrypted"));
  TestServer up(always(TestServer::moved(server.address())));
  EXPECT_EQ(fetch_text(up.address(), limits), "in") << "to more protection is fine";
}

TEST(Client, takes_no_more_than_it_may) {
  TestServer server([](const std::string& request) {
    if (TestServer::path(request) == "/chunked") return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n") + std::string(0x800, 'x') + "\r\n0\r\n\r\n";
    if (TestServer::path(request) == "/open") return "HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x');
    if (TestServer::path(request) == "/head") return "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n";
    return TestServer::ok(std::string(2000, 'x'));
  });
  for (auto* path : {"/", "/chunked", "/open"}) EXPECT_TRUE(says(refusal([&] { fetch_text(server.address(path), {.most_bytes = 1024}); }), "is longer than 1 KB")) << path;
  EXPECT_NE(refusal([&] { fetch_text(server.address("/head")); }), "");
  EXPECT_EQ(fetch_text(server.address("/"), {.most_bytes = 2000})->size(), 2000u);
}

TEST(Client, waits_for_nobody_for_ever_and_stops_when_told) {
  TestServer silent(always(""));
  try {
    fetch_text(silent.address(), {.patience = 200ms});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Timeout);
    EXPECT_TRUE(says(failure.sentence(), "did not answer in time"));
  }
  std::stop_source stop;
  stop.request_stop();
  try {
    fetch_text(silent.address(), {.stop = stop.get_token()});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Cancelled);
  }
  TestCertificates certificates;
  TestServer plain_silence(always(""));
  EXPECT_TRUE(says(refusal([&] { fetch_text("https://127.0.0.1:" + plain_silence.port() + "/", {.patience = 200ms}); }), "did not answer in time"));
}

TEST(Client, says_what_is_wrong_without_what_is_secret) {
  TestServer broken(always("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  EXPECT_TRUE(says(refusal([&] { fetch_text(broken.address()); }), "broke before all was there"));
  TestServer odd(always("no http\r\n\r\n"));
  EXPECT_NE(refusal([&] { fetch_text(odd.address()); }), "");
  TestServer refused(always(TestServer::status(500))), missing(always(TestServer::status(404)));
  auto sentence = refusal([&] { fetch_text("http://ann:hush@127.0.0.1:" + refused.port() + "/x?token=hush"); });
  EXPECT_EQ(sentence, "127.0.0.1:" + refused.port() + " answered 500.");
  EXPECT_TRUE(says(refused.asked().at(0), "Authorization: Basic " + base64("ann:hush")));
  EXPECT_FALSE(fetch_text(missing.address()));
  EXPECT_TRUE(says(refusal([] { fetch_text("http://127.0.0.1:1/"); }), "127.0.0.1:1 cannot be reached"));
  EXPECT_TRUE(says(refusal([] { fetch_text("http://"); }), "malformed"));
  EXPECT_TRUE(says(refusal([] { fetch_text("http://no such host/"); }), "malformed"));
  EXPECT_TRUE(says(refusal([&] { fetch({.url = missing.address(), .headers = {{"X-A", "b\r\nX-C: d"}}}); }), "line break"));
}

TEST(Client, reads_files_as_well) {
  TestFolder folder;
  auto path = folder.write("a.txt", "content");
  EXPECT_EQ(fetch_text(path), "content");
  EXPECT_EQ(fetch_text("file://" + path), "content");
  EXPECT_FALSE(fetch_text(path + "x"));
  EXPECT_TRUE(says(refusal([&] { fetch_text(folder.path.string()); }), "cannot be read"));
  EXPECT_TRUE(says(refusal([&] { fetch_text("/dev/zero"); }), "cannot be read"));
  EXPECT_TRUE(says(refusal([&] { fetch_text(path, {.most_bytes = 3}); }), "longer than"));
}

TEST(Client, downloads_into_a_new_file_and_leaves_none_when_it_fails) {
  TestFolder folder;
  std::string big(1'000'000, 'b');
  TestServer server([&](const std::string& request) {
    if (TestServer::path(request) == "/cut") return "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + big;
    if (TestServer::path(request) == "/gone") return TestServer::status(404);
    if (TestServer::path(request) == "/moved") return TestServer::moved("/");
    return TestServer::ok(big);
  });
  auto to = folder.path / "got";
  std::int64_t last = 0, expected = 0;
  auto got = download(server.address("/moved"), to, {.most_bytes = 2'000'000}, [&](std::int64_t done, std::int64_t of) { EXPECT_GT(done, last); last = done; expected = of; });
  EXPECT_EQ(got.bytes, 1'000'000);
  EXPECT_EQ(got.sha256, sha256_hex(big));
  EXPECT_EQ(last, 1'000'000);
  EXPECT_EQ(expected, 1'000'000);
  EXPECT_EQ(folder.read("got"), big);
  EXPECT_EQ(std::filesystem::status(to).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_TRUE(says(refusal([&] { download(server.address(), to, {.most_bytes = 2'000'000}); }), "cannot be made"));
  EXPECT_EQ(folder.read("got"), big) << "what was there is not touched";
  for (auto* path : {"/cut", "/gone"}) {
    EXPECT_NE(refusal([&] { download(server.address(path), folder.path / "half", {.most_bytes = 5'000'000}); }), "");
    EXPECT_FALSE(std::filesystem::exists(folder.path / "half")) << path;
  }
  EXPECT_TRUE(says(refusal([&] { download(server.address(), folder.path / "half", {.most_bytes = 999'999}); }), "is longer than"));
  EXPECT_FALSE(std::filesystem::exists(folder.path / "half"));
  EXPECT_EQ(download(to.string(), folder.path / "copy", {.most_bytes = 2'000'000}).sha256, got.sha256);
}

TEST(Client, finds_what_lies_beside) {
  EXPECT_EQ(beside("https://host/releases/releases.json", "root.json"), "https://host/releases/root.json");
  EXPECT_EQ(beside("https://host/releases/", "root.json"), "https://host/releases/root.json");
  EXPECT_EQ(beside("https://host/releases", "root.json"), "https://host/releases/root.json");
  EXPECT_EQ(beside("https://host", "root.json"), "https://host/root.json");
  EXPECT_EQ(beside("https://host/a/feed.json?token=x", "root.json"), "https://host/a/root.json?token=x");
  EXPECT_EQ(beside("/srv/feed/releases.json", "root.json"), "/srv/feed/root.json");
  EXPECT_EQ(beside("/srv/feed", "root.json"), "/srv/feed/root.json");
  EXPECT_EQ(beside("/srv/feed/", "root.json"), "/srv/feed/root.json");
  EXPECT_EQ(beside("file:///srv/feed/releases.json", "root.json"), "/srv/feed/root.json");
}

}  // namespace
}  // namespace basalt::client
