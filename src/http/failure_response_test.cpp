#include "http/failure_response.h"

#include <gtest/gtest.h>

namespace basalt::http {
namespace {

TEST(FailureResponse, every_kind_has_its_status) {
  struct Row { FailureKind kind; int status; };
  for (auto [kind, status] : {Row{FailureKind::BadRequest, 400}, {FailureKind::SignInNeeded, 401}, {FailureKind::Forbidden, 403},
                              {FailureKind::NotFound, 404}, {FailureKind::Conflict, 409}, {FailureKind::Unsupported, 400},
                              {FailureKind::TooLarge, 413}, {FailureKind::TooMany, 429}, {FailureKind::Database, 400},
                              {FailureKind::Timeout, 504}, {FailureKind::Unavailable, 503}, {FailureKind::Bug, 500}}) {
    EXPECT_EQ(failure_response(Failure(kind, "A sentence."), "r1").status, status);
  }
}

TEST(FailureResponse, the_texts_that_clients_look_for) {
  EXPECT_EQ(failure_response(Failure(FailureKind::SignInNeeded, "anything"), "r").body, "Unauthenticated");
  EXPECT_EQ(failure_response(forbidden(), "r").body, "You don't have permissions to do that.");
  EXPECT_EQ(failure_response(not_found(), "r").body, "Not found.");
  EXPECT_EQ(failure_response(Failure(FailureKind::BadRequest, "No."), "r").body, "No.");
}

TEST(FailureResponse, fields_answer_as_errors) {
  EXPECT_EQ(failure_response(bad_field("email", "Email address already in use."), "r").body, R"({"errors":{"email":"Email address already in use."}})");
  auto sign_in = Failure(FailureKind::SignInNeeded, "x").with_field("password", "did not match stored password");
  EXPECT_EQ(failure_response(sign_in, "r").body, R"({"errors":{"password":"did not match stored password"}})");
  EXPECT_EQ(failure_response(sign_in, "r").status, 401);
  auto validation = Failure(FailureKind::BadRequest, "Some fields are missing or wrong.").with_field("a", "x").with_field("b", "y");
  EXPECT_EQ(failure_response(validation, "r").body, R"({"errors":{"a":"x","b":"y"},"specific-errors":{"a":["x"],"b":["y"]}})");
}

TEST(FailureResponse, places_and_types_answer_as_json) {
  auto failure = Failure(FailureKind::BadRequest, "Unknown clause.").with_place("query.filter[1]").with_error_type("invalid-query");
  EXPECT_EQ(failure_response(failure, "r").body, R"({"message":"Unknown clause.","error_type":"invalid-query","place":"query.filter[1]"})");
}

TEST(FailureResponse, what_is_ours_tells_only_the_request_id) {
  Request request;
  request.id = "r-77";
  auto response = failure_response(std::make_exception_ptr(std::runtime_error("secret detail")), request);
  EXPECT_EQ(response.status, 500);
  EXPECT_NE(response.body.find("r-77"), std::string::npos);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
  auto bug = failure_response(Failure(FailureKind::Bug, "inner words").with_details("SELECT secret"), "r-78");
  EXPECT_EQ(bug.body.find("SELECT"), std::string::npos);
  EXPECT_EQ(bug.body.find("inner words"), std::string::npos);
}

}  // namespace
}  // namespace basalt::http
