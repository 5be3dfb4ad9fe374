// Provokes every error in the tables of content_service.proto and admin_service.proto on the real
// binary: each row for each of its RPCs. Codes and reasons are read from the tables; this file has
// the requests that lead to them, and the expected details. A test checks that no row, and no RPC
// of a row, is left out.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "content/page_token.h"
#include "google/protobuf/util/json_util.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/methods.h"

namespace content::testing {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using Details = std::vector<std::string>;

// ---- RPCs ----

const ServiceDescriptor& ContentService() {
  return *v1::GetArticleRequest::descriptor()->file()->service(0);
}

const ServiceDescriptor& AdminService() {
  return *v1::PublishArticleRequest::descriptor()->file()->service(0);
}

std::vector<const MethodDescriptor*> MethodsOf(const ServiceDescriptor& service) {
  std::vector<const MethodDescriptor*> methods;
  for (int i = 0; i < service.method_count(); ++i) methods.push_back(service.method(i));
  return methods;
}

const MethodDescriptor& MethodOf(const std::string& rpc) {
  for (const MethodDescriptor* method : AllMethods()) {
    if (method->name() == rpc) return *method;
  }
  ADD_FAILURE() << "no RPC " << rpc;
  return *ContentService().method(0);
}

bool Takes(const MethodDescriptor& method, const std::string& field) {
  return method.input_type()->FindFieldByName(field) != nullptr;
}

bool IsWrite(const MethodDescriptor& method) {
  static const std::set<std::string> others = {"BlockAuthor", "EraseAuthor", "ImportComments",
                                               "ReportComment", "UnblockAuthor"};
  return Takes(method, "request_id") || Takes(method, "repair") || others.contains(method.name());
}

// ---- The tables ----

struct Row {
  std::set<std::string> rpcs;
  std::string condition;
  std::string code;
  std::string reason;
};

// The RPCs that a cell of the first column names or describes.
std::set<std::string> Expand(const std::string& rpcs, const ServiceDescriptor& service) {
  std::set<std::string> names;
  const auto add = [&names](const auto& methods, const auto& is_meant) {
    for (const MethodDescriptor* method : methods) {
      if (is_meant(*method)) names.insert(method->name());
    }
  };
  if (rpcs == "all") {
    add(AllMethods(), [](const auto&) { return true; });
  } else if (rpcs == "all here that name an article") {
    add(MethodsOf(service), [](const auto& method) {
      return Takes(method, "name") || Takes(method, "names") || Takes(method, "parent") ||
             Takes(method, "comment");
    });
  } else if (rpcs == "writes") {
    add(AllMethods(), IsWrite);
  } else if (rpcs == "writes with `request_id`") {
    add(AllMethods(), [](const auto& method) { return Takes(method, "request_id"); });
  } else if (rpcs == "reads with `min_revision`") {
    add(AllMethods(), [](const auto& method) { return Takes(method, "min_revision"); });
  } else {
    for (const absl::string_view name : absl::StrSplit(rpcs, ", ")) names.emplace(name);
  }
  return names;
}

// Rows of the table in a proto file's comments. A line without a code continues the row above.
std::vector<Row> ReadTable(const std::string& file, const ServiceDescriptor& service) {
  std::ifstream lines(absl::StrCat(CONTENT_SOURCE_DIR, "/proto/content/v1/", file));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    if (!absl::StartsWith(line, "// |") || absl::StartsWith(line, "// |-")) continue;
    std::vector<std::string> cells = absl::StrSplit(line, '|');
    for (std::string& cell : cells) absl::StripAsciiWhitespace(&cell);
    cells = {cells[1], cells[2], cells[3], cells[4]};
    if (!cells[2].empty()) {
      rows.push_back(cells);
    } else if (!rows.empty()) {
      for (size_t i : {0, 1}) {
        if (!cells[i].empty()) absl::StrAppend(&rows.back()[i], " ", cells[i]);
      }
    }
  }
  std::vector<Row> table;
  for (size_t i = 1; i < rows.size(); ++i) {  // after the heading
    table.push_back({Expand(rows[i][0], service), rows[i][1], rows[i][2], rows[i][3]});
  }
  return table;
}

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> both = ReadTable("content_service.proto", ContentService());
    for (Row& row : ReadTable("admin_service.proto", AdminService())) {
      both.push_back(std::move(row));
    }
    return both;
  }();
  return rows;
}

// The row for an RPC whose condition starts with `condition`.
const Row& RowOf(const std::string& rpc, const std::string& condition) {
  static const Row none;
  const Row* found = nullptr;
  for (const Row& row : Rows()) {
    if (!row.rpcs.contains(rpc) || !absl::StartsWith(row.condition, condition)) continue;
    EXPECT_EQ(found, nullptr) << "two rows of " << rpc << " begin with: " << condition;
    found = &row;
  }
  EXPECT_NE(found, nullptr) << "no row of " << rpc << " begins with: " << condition;
  return found != nullptr ? *found : none;
}

// ---- Requests ----

// Requests are JSON. Words with a $ stand for resources that ErrorsTest created.

// A request of every RPC that is answered with OK.
const std::map<std::string, std::string>& ValidRequests() {
  static const std::map<std::string, std::string> requests = {
      {"GetArticle", R"({"name": "articles/story"})"},
      {"BatchGetArticles", R"({"names": ["articles/story"]})"},
      {"ListArticles", R"({})"},
      {"SearchArticles", R"({"query": "text"})"},
      {"GetArticlePage", R"({"name": "articles/story"})"},
      {"WatchArticles", R"({})"},
      {"GetComment", R"({"name": "$visible"})"},
      {"ListComments", R"({"parent": "articles/story"})"},
      {"WatchComments", R"({"parent": "articles/story"})"},
      {"CreateComment", R"({"parent": "articles/story", "comment": $comment})"},
      {"UpdateComment", R"({"comment": {"name": "$visible", "body": "other words"}})"},
      {"DeleteComment", R"({"name": "$visible"})"},
      {"ReportComment", R"({"name": "$visible", "reporter_id": "user-2"})"},
      {"PublishArticle",
       R"({"article": {"name": "articles/story", "title": "Story", "body": "New."}})"},
      {"UpdateArticle", R"({"article": {"name": "articles/story", "title": "Another"}})"},
      {"RenameArticle", R"({"name": "articles/story", "new_name": "articles/renamed"})"},
      {"RetractArticle", R"({"name": "articles/story"})"},
      {"InspectArticle", R"({"name": "articles/story"})"},
      {"ModerateComment", R"({"name": "$visible", "state": "COMMENT_STATE_HIDDEN"})"},
      {"InspectComment", R"({"name": "$visible"})"},
      {"EraseComment", R"({"name": "$visible"})"},
      {"ImportComments",
       R"({"parent": "articles/story", "source": "disqus:forum", "comments": [{"source_id": "1",
           "author": {"id": "a", "display_name": "A"}, "body": "x",
           "state": "COMMENT_STATE_VISIBLE", "create_time": "2020-01-01T00:00:00Z"}]})"},
      {"ListModerationQueue", R"({})"},
      {"BlockAuthor", R"({"author_id": "troll", "reason": "spam"})"},
      {"UnblockAuthor", R"({"author_id": "troll", "allow_missing": true})"},
      {"ListBlockedAuthors", R"({})"},
      {"ListAuditEvents", R"({})"},
      {"ExportAuthor", R"({"author_id": "user-1"})"},
      {"EraseAuthor", R"({"author_id": "user-1"})"},
      {"VerifyCounters", R"({"repair": true})"},
      {"GetServerInfo", R"({})"},
      {"OverrideLogLevel", R"({"level": "LOG_LEVEL_INFO", "ttl": "1s"})"},
  };
  return requests;
}

// `request` with `member` added.
std::string With(const std::string& member, const std::string& request) {
  return absl::StrCat("{", member, request == "{}" ? "" : ", ", request.substr(1));
}

struct Case {
  std::string rpc;
  std::string condition;  // beginning of its row's condition
  std::string request;
  Details details = {};
};

Details ArticleResource(const std::string& id) {
  return {"resource content.v1.Article articles/" + id};
}

// Malformed requests of every RPC.
void AddInvalidRequests(std::vector<Case>& cases) {
  const struct {
    const char* rpc;
    const char* request;
    Details fields;
  } invalid[] = {
      {"GetArticle", R"({"name": "../x", "min_revision": -1})", {"name", "min_revision"}},
      {"BatchGetArticles", R"({})", {"names"}},
      {"ListArticles",
       R"({"page_size": -1, "page_token": "x", "tag": "a\nb"})",
       {"page_size", "tag", "page_token"}},
      {"SearchArticles", R"({"query": "", "page_size": -1})", {"query", "page_size"}},
      {"GetArticlePage", R"({"name": "story", "view": 9})", {"name", "view"}},
      {"WatchArticles", R"({"resume_token": "x"})", {"resume_token"}},
      {"GetComment", R"({"name": "articles/story"})", {"name"}},
      {"ListComments", R"({"parent": "articles/story", "reply_to": "x"})", {"reply_to"}},
      {"WatchComments", R"({"parent": "", "after_revision": -1})", {"parent", "after_revision"}},
      {"CreateComment",
       R"({"parent": "articles/story", "comment": {"author": {"id": "a"}}, "request_id": "1"})",
       {"comment.author.display_name", "comment.body", "request_id"}},
      {"UpdateComment", R"({"comment": {"name": "$visible"}})", {"update_mask"}},
      {"DeleteComment", R"({"name": "articles/story/comments/1"})", {"name"}},
      {"PublishArticle",
       R"({"article": {"tags": ["", "x"]}})",
       {"article.title", "article.tags[0]", "article.body"}},
      {"UpdateArticle",
       R"({"article": {"name": "articles/story"}, "update_mask": "revision"})",
       {"update_mask"}},
      {"RenameArticle", R"({"name": "articles/story", "new_name": "articles/A"})", {"new_name"}},
      {"RetractArticle", R"({"name": "articles/-"})", {"name"}},
      {"InspectArticle", R"({})", {"name"}},
      {"ModerateComment", R"({"name": "$visible", "state": "COMMENT_STATE_DELETED"})", {"state"}},
      {"InspectComment", R"({"name": "articles/story"})", {"name"}},
      {"EraseComment",
       R"({"name": "articles/story/comments/1", "request_id": "1"})",
       {"name", "request_id"}},
      {"ImportComments",
       R"({"source": "a\nb", "comments": [{"source_id": "1"}]})",
       {"parent", "source", "comments[0].create_time", "comments[0].state"}},
      {"ListModerationQueue", R"({"state": "COMMENT_STATE_VISIBLE"})", {"state"}},
      {"ListModerationQueue",
       R"({"state": "COMMENT_STATE_PENDING", "order": "MODERATION_ORDER_REPORTS"})",
       {"state"}},
      {"ReportComment", R"({"name": "articles/story"})", {"name", "reporter_id"}},
      {"BlockAuthor", R"({"reason": "a\u0001"})", {"author_id", "reason"}},
      {"UnblockAuthor", R"({})", {"author_id"}},
      {"ListBlockedAuthors",
       R"({"page_size": -1, "page_token": "x"})",
       {"page_size", "page_token"}},
      {"ListAuditEvents",
       R"({"page_size": -1, "article": "story", "caller": "a\u0001", "person_id": "a\u0001",
           "author_id": "a\u0001", "action": 77,
           "page_token": "x"})",
       {"page_size", "article", "caller", "person_id", "author_id", "action", "page_token"}},
      {"ExportAuthor", R"({})", {"author_id"}},
      {"EraseAuthor", R"({})", {"author_id"}},
      {"VerifyCounters", R"({"name": "story"})", {"name"}},
      {"OverrideLogLevel", R"({"ttl": "86401s"})", {"level", "ttl"}},
  };
  for (const auto& [rpc, request, fields] : invalid) {
    Details details;
    for (const std::string& field : fields) details.push_back("field " + field);
    cases.push_back({rpc, "a malformed or missing field", request, details});
  }
}

// Every way in which readers learn that there is no such article.
void AddMissingArticles(std::vector<Case>& cases) {
  const std::string comment = "comments/01890a5d-ac96-774b-bcce-b302099a8057";
  for (const std::string id : {"none", "retracted", "scheduled"}) {
    const std::string name = absl::StrCat("\"articles/", id, "\"");
    const std::string comment_name = absl::StrCat("\"articles/", id, "/", comment, "\"");
    const struct {
      const char* rpc;
      std::string request;
    } requests[] = {
        {"GetArticle", absl::StrCat("{\"name\": ", name, "}")},
        {"BatchGetArticles", absl::StrCat("{\"names\": [\"articles/story\", ", name, "]}")},
        {"GetArticlePage", absl::StrCat("{\"name\": ", name, "}")},
        {"GetComment", absl::StrCat("{\"name\": ", comment_name, "}")},
        {"ListComments", absl::StrCat("{\"parent\": ", name, "}")},
        {"WatchComments", absl::StrCat("{\"parent\": ", name, "}")},
        {"CreateComment", absl::StrCat("{\"parent\": ", name, ", \"comment\": $comment}")},
        {"UpdateComment",
         absl::StrCat("{\"comment\": {\"name\": ", comment_name, ", \"body\": \"x\"}}")},
        {"DeleteComment", absl::StrCat("{\"name\": ", comment_name, "}")},
        {"ReportComment", absl::StrCat("{\"name\": ", comment_name, ", \"reporter_id\": \"a\"}")},
    };
    for (const auto& [rpc, request] : requests) {
      cases.push_back(
          {rpc, "it does not exist, is retracted or not yet due", request, ArticleResource(id)});
    }
  }
  for (const auto& [rpc, request] : std::map<std::string, std::string>{
           {"UpdateArticle", R"({"article": {"name": "articles/none", "title": "New"}})"},
           {"RenameArticle", R"({"name": "articles/none", "new_name": "articles/new"})"},
           {"RetractArticle", R"({"name": "articles/none"})"},
           {"InspectArticle", R"({"name": "articles/none"})"},
           {"InspectComment", absl::StrCat(R"({"name": "articles/none/)", comment, R"("})")},
           {"EraseComment", absl::StrCat(R"({"name": "articles/none/)", comment, R"("})")},
           {"ModerateComment", absl::StrCat(R"({"name": "articles/none/)", comment,
                                            R"(", "state": "COMMENT_STATE_HIDDEN"})")},
           {"ImportComments",
            absl::StrReplaceAll(ValidRequests().at("ImportComments"), {{"/story", "/none"}})},
           {"VerifyCounters", R"({"name": "articles/none"})"},
           {"ListAuditEvents", R"({"article": "articles/none"})"}}) {
    cases.push_back({rpc, "there is no such article", request, ArticleResource("none")});
  }
}

void AddMissingComments(std::vector<Case>& cases) {
  const std::string resource = "resource content.v1.Comment ";
  for (const std::string comment : {"$unknown", "$pending", "$hidden", "$deleted"}) {
    cases.push_back({"GetComment",
                     "there is no such comment that readers see",
                     absl::StrCat("{\"name\": \"", comment, "\"}"),
                     {resource + comment}});
  }
  for (const std::string comment :
       {"$unknown", "$pending", "$hidden", "$deleted", "$misnamed", "$elsewhere"}) {
    const Details details = {resource + comment};
    cases.push_back(
        {"ListComments", "the article has no comment `reply_to` that readers see",
         absl::StrCat("{\"parent\": \"articles/story\", \"reply_to\": \"", comment, "\"}"),
         details});
  }
  for (const std::string comment :
       {"$unknown", "$pending", "$hidden", "$deleted", "$placeholder", "$misnamed", "$elsewhere"}) {
    cases.push_back(
        {"CreateComment",
         "the article has no visible comment `reply_to`",
         absl::StrCat("{\"parent\": \"articles/story\", \"comment\": {\"author\": {\"id\": \"a\", "
                      "\"display_name\": \"A\"}, \"body\": \"x\", \"reply_to\": \"",
                      comment, "\"}}"),
         {resource + comment}});
  }
  for (const std::string comment :
       {"$unknown", "$pending", "$hidden", "$deleted", "$placeholder"}) {
    cases.push_back({"ReportComment",
                     "there is no such comment whose text readers see",
                     absl::StrCat("{\"name\": \"", comment, "\", \"reporter_id\": \"a\"}"),
                     {resource + comment}});
  }
  cases.push_back({"UpdateComment",
                   "there is no such comment",
                   R"({"comment": {"name": "$unknown", "body": "x"}})",
                   {resource + "$unknown"}});
  cases.push_back({"DeleteComment",
                   "there is no such comment",
                   R"({"name": "$unknown"})",
                   {resource + "$unknown"}});
  for (const char* rpc : {"InspectComment", "EraseComment"}) {
    cases.push_back(
        {rpc, "there is no such comment", R"({"name": "$unknown"})", {resource + "$unknown"}});
  }
  cases.push_back({"ModerateComment",
                   "there is no such comment",
                   R"({"name": "$unknown", "state": "COMMENT_STATE_HIDDEN"})",
                   {resource + "$unknown"}});
}

void AddWrongStates(std::vector<Case>& cases) {
  for (const char* rpc : {"GetArticle", "GetArticlePage", "GetComment", "ListComments"}) {
    cases.push_back({rpc,
                     "the article has not reached that revision",
                     With(R"("min_revision": "1000000")", ValidRequests().at(rpc)),
                     {"current_revision=$revision"}});
  }
  const std::vector<Case> others = {
      {"WatchComments",
       "the article has not reached `after_revision`",
       R"({"parent": "articles/story", "after_revision": "1000000"})",
       {"current_revision=$revision"}},
      {"WatchComments", "the database has failed over",
       R"({"parent": "articles/story", "resume_token": "$elsewhen"})"},
      {"WatchArticles",
       "the database has failed over",
       R"({"resume_token": "$later"})",
       {"current_revision=$feed"}},
      {"BatchGetArticles", "the answer would exceed 3 MiB",
       R"({"names": ["articles/large", "articles/large", "articles/large", "articles/large"],
           "view": "ARTICLE_VIEW_FULL"})"},
      {"SearchArticles", "`query` holds no word", R"({"query": "- \"\""})", {"field query"}},
      {"CreateComment",
       "the article's comments are closed",
       R"({"parent": "articles/closed", "comment": $comment})",
       {"article=articles/closed"}},
      {"UpdateComment",
       "the article's comments are closed",
       R"({"comment": {"name": "$on_closed", "body": "x"}})",
       {"article=articles/closed"}},
      {"CreateComment",
       "the author is blocked",
       R"({"parent": "articles/story", "comment": $comment_of_blocked})",
       {"author_id=troll"}},
      {"UpdateComment",
       "the author is blocked",
       R"({"comment": {"name": "$of_blocked", "body": "x"}})",
       {"author_id=troll"}},
      {"UnblockAuthor",
       "the author is not blocked",
       R"({"author_id": "user-1"})",
       {"author_id=user-1"}},
      {"CreateComment",
       "the reply would be deeper than 32",
       R"({"parent": "articles/story", "comment": {"author": {"id": "a", "display_name": "A"},
           "body": "x", "reply_to": "$deepest"}})",
       {"limit=32"}},
      {"UpdateComment",
       "a moderator has hidden the comment",
       R"({"comment": {"name": "$hidden", "body": "x"}})",
       {"name=$hidden"}},
      {"UpdateComment",
       "the comment is deleted",
       R"({"comment": {"name": "$deleted", "body": "x"}})",
       {"name=$deleted"}},
      {"ModerateComment",
       "the comment is deleted",
       R"({"name": "$deleted", "state": "COMMENT_STATE_VISIBLE"})",
       {"name=$deleted"}},
      {"PublishArticle",
       "no `name` is given",
       R"({"article": {"title": "Story", "body": "Other text."}})",
       {"name=articles/story"}},
      {"RenameArticle",
       "another article has, or once had, the new name",
       R"({"name": "articles/story", "new_name": "articles/closed"})",
       {"name=articles/closed"}},
      {"RenameArticle",
       "another article has, or once had, the new name",
       R"({"name": "articles/story", "new_name": "articles/formerly-closed"})",
       {"name=articles/formerly-closed"}},
  };
  cases.insert(cases.end(), others.begin(), others.end());
}

void AddStaleEtags(std::vector<Case>& cases) {
  const char* const condition = "`etag` is not the current one";
  const std::string etag = R"("etag": "0")";
  for (const char* rpc :
       {"DeleteComment", "EraseComment", "ModerateComment", "RenameArticle", "RetractArticle"}) {
    const bool about_comment = absl::EndsWith(rpc, "Comment");
    cases.push_back({rpc,
                     condition,
                     With(etag, ValidRequests().at(rpc)),
                     {about_comment ? "name=$visible" : "name=articles/story"}});
  }
  cases.push_back({"UpdateComment",
                   condition,
                   R"({"comment": {"name": "$visible", "body": "x", "etag": "0"}})",
                   {"name=$visible"}});
  for (const char* rpc : {"PublishArticle", "UpdateArticle"}) {
    cases.push_back({rpc,
                     condition,
                     R"({"article": {"name": "articles/story", "title": "Story", "body": "New.",
                         "etag": "0"}})",
                     {"name=articles/story"}});
  }
}

void AddReusedRequestIds(std::vector<Case>& cases) {
  for (const auto& [rpc, request] : ValidRequests()) {
    if (!Takes(MethodOf(rpc), "request_id")) continue;
    cases.push_back({rpc,
                     "it was used for another request",
                     With(R"("request_id": "$used")", request),
                     {"request_id=$used"}});
  }
}

// Mistakes of callers while the server is healthy.
std::vector<Case> CallersErrors() {
  std::vector<Case> cases;
  AddInvalidRequests(cases);
  AddMissingArticles(cases);
  AddMissingComments(cases);
  AddWrongStates(cases);
  AddStaleEtags(cases);
  AddReusedRequestIds(cases);
  return cases;
}

// ---- Rows that concern every RPC alike ----

constexpr char kOverloaded[] = "too many calls wait for the database";
constexpr char kMemoryShort[] = "the server is short of memory";
constexpr char kUnreachable[] = "the database cannot be reached";
constexpr char kStopping[] = "the server is stopping";
constexpr char kOutcomeUnknown[] = "the connection broke while committing";
constexpr char kContention[] = "it kept colliding with other writes";
constexpr char kTooLate[] = "the deadline passed before the work was done";
constexpr char kCancelled[] = "the caller cancelled the call";
constexpr char kIncomplete[] = "the request did not arrive whole";
constexpr char kInternal[] = "anything else";
constexpr char kTooLarge[] = "the request is over 4 MiB";
constexpr char kTooSlow[] = "the reader took too long";  // tested in watch_test.cc
// Tested in listening_test.cc.
constexpr char kCompressed[] = "the request is compressed";
constexpr char kUnread[] = "the caller took too long to read the answer";
constexpr char kOldConnection[] = "the connection has reached its maximum age";
// Tested in access_test.cc.
constexpr char kNobody[] = "nothing says who calls";
constexpr char kWrongToken[] = "the bearer token is not one";
constexpr char kOldToken[] = "the bearer token has expired";
constexpr char kNotAllowed[] = "the policy does not let the caller";
constexpr char kManyCalls[] = "the caller makes more calls a second";
constexpr char kManyComments[] = "the author writes more comments a minute";
// Tested in unit/watch/feed_watchers_test.cc.
constexpr char kTooManyWatchers[] = "the server has too many watchers";
// Tested in unit/api/comments_test.cc and store/comments/callers_test.cc.
constexpr char kNotCaller[] = "the caller may write only as one person";
constexpr char kNoPerson[] = "the caller may write only as the person whom";

const std::vector<std::string>& RowsOfSituations() {
  static const std::vector<std::string> rows = {
      kOverloaded, kUnreachable, kStopping,      kOutcomeUnknown, kContention, kTooLate,
      kCancelled,  kIncomplete,  kInternal,      kTooLarge,       kTooSlow,    kTooManyWatchers,
      kCompressed, kUnread,      kOldConnection, kNobody,         kWrongToken, kOldToken,
      kNotAllowed, kManyCalls,   kManyComments,  kMemoryShort,    kNotCaller,  kNoPerson};
  return rows;
}

TEST(ErrorTables, EveryRowIsTestedForEachOfItsRpcs) {
  std::set<std::string> tested;
  for (const Case& test : CallersErrors()) {
    tested.insert(absl::StrCat(test.rpc, ": ", RowOf(test.rpc, test.condition).condition));
  }
  tested.insert("GetServerInfo: " + RowOf("GetServerInfo", "a malformed").condition);
  std::set<std::string> promised;
  for (const Row& row : Rows()) {
    const auto begins = [&row](const auto& text) { return absl::StartsWith(row.condition, text); };
    const auto& situations = RowsOfSituations();
    if (std::any_of(situations.begin(), situations.end(), begins)) continue;
    for (const std::string& rpc : row.rpcs) promised.insert(absl::StrCat(rpc, ": ", row.condition));
  }
  EXPECT_THAT(tested, ::testing::ContainerEq(promised));
  for (const std::string& condition : RowsOfSituations()) {
    EXPECT_EQ(
        std::count_if(Rows().begin(), Rows().end(),
                      [&](const Row& row) { return absl::StartsWith(row.condition, condition); }),
        1)
        << condition;
  }
  EXPECT_EQ(ValidRequests().size(), AllMethods().size());
}

// ---- Calls ----

// Calls any RPC with bytes. Reads a stream to its end.
grpc::Status Call(const Client& client, const std::string& rpc, const std::string& request,
                  grpc::ClientContext& context) {
  const MethodDescriptor& method = MethodOf(rpc);
  const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
  grpc::GenericStub stub(client.channel());
  grpc::CompletionQueue queue;
  // Whether the current step succeeded.
  const auto step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, path, &queue);
  call->StartCall(nullptr);
  step();
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  step();
  grpc::ByteBuffer response;
  do {
    call->Read(&response, nullptr);
  } while (step());
  grpc::Status status;
  call->Finish(&status, nullptr);
  step();
  return status;
}

// Returns a status's details, one by one and sorted: its metadata, its bad fields and so on. Also
// checks what every error must have.
Details DetailsOf(const grpc::Status& status) {
  Details found;
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), status.error_code());
  EXPECT_EQ(details.message(), status.error_message());
  EXPECT_TRUE(details.details_size() > 0 && details.details(0).Is<google::rpc::ErrorInfo>());
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::ResourceInfo resource;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      EXPECT_EQ(info.domain(), "content.v1");
      for (const auto& [key, value] : info.metadata())
        found.push_back(absl::StrCat(key, "=", value));
    } else if (detail.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        EXPECT_NE(violation.description(), "");
        found.push_back("field " + violation.field());
      }
    } else if (detail.UnpackTo(&resource)) {
      found.push_back(
          absl::StrCat("resource ", resource.resource_type(), " ", resource.resource_name()));
    } else if (detail.UnpackTo(&retry)) {
      EXPECT_GT(retry.retry_delay().seconds() + retry.retry_delay().nanos(), 0);
      found.emplace_back("retry");
    } else {
      found.push_back(detail.type_url());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// No details of the implementation.
void ExpectNoInternals(const grpc::Status& status) {
  static const std::regex internals(
      R"(\b(SELECT|INSERT|DELETE|FROM|WHERE|SQL|SQLSTATE|ERROR|FATAL)\b|[0-9A-Z]{5}:|sqlstate|pqxx)"
      R"(|relation|column|table|statement|connection|socket|localhost|127\.0\.0\.1|/tmp|\.cc\b)"
      R"(|article_[sfnl]|pg_)");
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  const std::string text = absl::StrCat(status.error_message(), "\n", details.DebugString());
  EXPECT_FALSE(std::regex_search(text, internals)) << text;
}

// ---- The server ----

// The parameter is --cache-bytes.
class ErrorsTest : public ::testing::TestWithParam<const char*> {
 protected:
  // Creates the content, and then a server with these settings that has cached none of it, so that
  // each call meets the failures of the database.
  void Start(const std::vector<std::string>& settings = {}) {
    Serve({});
    MakeContent();
    Serve(settings);
  }

  void Serve(std::vector<std::string> settings) {
    settings.insert(settings.end(), {"--database-url", url_, "--drain-timeout", "60s",
                                     "--cache-bytes", GetParam()});
    server_.emplace(settings);
    client_.emplace(server_->address());
    AwaitServing(*client_);
  }

  // The resources that the requests refer to.
  void MakeContent() {
    Publish("story");
    Publish("large", R"("body": ")" + std::string(1'040'000, 'x') + '"');
    Publish("formerly-closed");
    Make("RenameArticle", R"({"name": "articles/formerly-closed", "new_name": "articles/closed"})");
    Publish("scheduled", R"("publish_time": "2999-01-01T00:00:00Z")");
    Publish("retracted");
    Make("RetractArticle", R"({"name": "articles/retracted"})");

    words_["$comment"] =
        R"({"author": {"id": "user-1", "display_name": "A Reader"}, "body": "text"})";
    words_["$unknown"] = "articles/story/comments/01890a5d-ac96-774b-bcce-b302099a8057";
    words_["$used"] = "6d5d1c9e-9a5b-4b2a-8f3e-0c1d2e3f4a5b";
    Make("UpdateArticle", R"({"article": {"name": "articles/story", "summary": "About it."},
                              "request_id": "$used"})");
    words_["$on_closed"] = Comment("", "articles/closed");
    Make("UpdateArticle",
         R"({"article": {"name": "articles/closed", "comment_policy": "COMMENT_POLICY_CLOSED"}})");
    words_["$visible"] = Comment();
    // The id of a comment on the story, with the name of another article or of none.
    words_["$misnamed"] = absl::StrReplaceAll(words_["$visible"], {{"/story/", "/none/"}});
    words_["$elsewhere"] = absl::StrReplaceAll(words_["$visible"], {{"/story/", "/large/"}});
    words_["$hidden"] = Comment();
    Make("ModerateComment", R"({"name": "$hidden", "state": "COMMENT_STATE_HIDDEN"})");
    words_["$pending"] = Comment();
    Make("ModerateComment", R"({"name": "$pending", "state": "COMMENT_STATE_PENDING"})");
    words_["$deleted"] = Comment();
    Make("DeleteComment", R"({"name": "$deleted"})");
    words_["$placeholder"] = Comment();
    Comment("$placeholder");
    Make("DeleteComment", R"({"name": "$placeholder"})");
    words_["$comment_of_blocked"] = absl::StrReplaceAll(words_["$comment"], {{"user-1", "troll"}});
    words_["$of_blocked"] = Comment("", "articles/story", "$comment_of_blocked");
    Make("BlockAuthor", R"({"author_id": "troll"})");
    words_["$deepest"] = Comment();
    for (int depth = 1; depth <= 32; ++depth) words_["$deepest"] = Comment("$deepest");
    Query(url_, "UPDATE article_state SET comment_count = 0 WHERE first_name = 'story'");

    v1::GetArticleRequest get;
    get.set_name("articles/story");
    v1::GetArticleResponse story;
    Client::Call(&v1::ContentService::Stub::GetArticle, client_->content(), get, story);
    words_["$revision"] = absl::StrCat(story.article().revision());
    words_["$feed"] = Query(url_, "SELECT position FROM article_feed");
    words_["$later"] = TokenFromBeforeARestore();
    words_["$elsewhen"] = MakePageToken("content.v1.WatchCommentsRequest/resume_token", "1@1.1");
  }

  // A resume token of the database as it was before it was restored from an older copy.
  std::string TokenFromBeforeARestore() {
    Query(url_, "UPDATE article_feed SET position = position + 1000");
    grpc::ClientContext context;
    v1::WatchArticlesRequest request;
    request.set_skip_existing(true);
    const auto stream = client_->content().WatchArticles(&context, request);
    v1::WatchArticlesResponse response;
    EXPECT_TRUE(stream->Read(&response));
    context.TryCancel();
    Query(url_, "UPDATE article_feed SET position = position - 1000");
    return response.resume_token();
  }

  std::string Filled(const std::string& text) const { return absl::StrReplaceAll(text, words_); }

  // A request as bytes.
  std::string Encoded(const std::string& rpc, const std::string& json) const {
    const std::unique_ptr<google::protobuf::Message> request(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(MethodOf(rpc).input_type())
            ->New());
    const auto parsed = google::protobuf::util::JsonStringToMessage(Filled(json), request.get());
    EXPECT_TRUE(parsed.ok()) << rpc << " " << Filled(json) << ": " << parsed;
    return request->SerializeAsString();
  }

  grpc::Status Ask(const std::string& rpc, const std::string& json,
                   std::chrono::seconds timeout = std::chrono::seconds(30)) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    return Call(*client_, rpc, Encoded(rpc, json), context);
  }

  std::future<grpc::Status> AskAsync(const std::string& rpc) const {
    return AskAsync(rpc, ValidRequests().at(rpc));
  }
  std::future<grpc::Status> AskAsync(const std::string& rpc, const std::string& json) const {
    return std::async(std::launch::async, [this, rpc, json] { return Ask(rpc, json); });
  }

  // Checks that the answer is the one that the row of this RPC promises.
  void Expect(const grpc::Status& status, const std::string& rpc, const std::string& condition,
              Details details) const {
    const Row& row = RowOf(rpc, condition);
    for (std::string& detail : details) detail = Filled(detail);
    std::sort(details.begin(), details.end());
    EXPECT_EQ(CodeName(status.error_code()), row.code) << status.error_message();
    EXPECT_EQ(ReasonOf(status), row.reason) << status.error_message();
    EXPECT_EQ(DetailsOf(status), details) << status.error_message();
    ExpectNoInternals(status);
  }

  // Returns the RPCs of a row, without those that do not wait for the database and so do not fail
  // with it.
  static std::set<std::string> RpcsThatNeedTheDatabase(const std::string& condition) {
    std::set<std::string> rpcs = RowOf("CreateComment", condition).rpcs;
    rpcs.erase("GetServerInfo");
    rpcs.erase("OverrideLogLevel");
    return rpcs;
  }

  // Checks that each RPC of a row fails as the row promises.
  void ExpectOfEach(const std::string& condition, const Details& details) const {
    for (const std::string& rpc : RpcsThatNeedTheDatabase(condition)) {
      SCOPED_TRACE(rpc);
      Expect(Ask(rpc, ValidRequests().at(rpc)), rpc, condition, details);
    }
    EXPECT_TRUE(Ask("GetServerInfo", "{}").ok());
  }

  v1::GetServerInfoResponse Info() const {
    v1::GetServerInfoResponse info;
    Client::Call(&v1::AdminService::Stub::GetServerInfo, client_->admin(),
                 v1::GetServerInfoRequest(), info);
    return info;
  }

  // Whether a call of this client would find no place. A client alone has half of them.
  static bool IsFull(const v1::PoolInfo& pool) {
    return pool.busy_connections() == pool.connection_limit() &&
           pool.waiting_calls() >= (pool.queue_limit() + 1) / 2;
  }

  std::future<grpc::Status> AskToWaitIn(const std::string& pool, size_t number) const {
    const std::map<std::string, std::string> rpcs = {
        {"reads", "ListArticles"}, {"writes", "DeleteComment"}, {"publishing", "RetractArticle"}};
    const std::string& rpc = rpcs.at(pool);
    const std::string name = absl::StrCat("\"articles/story-", number, "\"");
    return AskAsync(rpc,
                    absl::StrReplaceAll(ValidRequests().at(rpc), {{"\"articles/story\"", name}}));
  }

  // Makes every statement on our tables wait until the session's transaction ends. New connections
  // read schema_migration; one that cannot be made would look like a database that hangs.
  void LockEverything(Session& session) const {
    session.Run("BEGIN");
    session.Run(
        "DO $$ DECLARE name text; BEGIN "
        "FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
        "AND tablename <> 'schema_migration' LOOP "
        "EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name); END LOOP; END $$");
  }

  static std::string CodeName(grpc::StatusCode code) {
    return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
  }

  const std::string url_ = NewDatabase();
  std::optional<ContentdServer> server_;
  std::optional<Client> client_;
  std::map<std::string, std::string> words_;

 private:
  void Make(const std::string& rpc, const std::string& json) const {
    const grpc::Status status = Ask(rpc, json);
    ASSERT_TRUE(status.ok()) << rpc << ": " << status.error_message();
  }

  void Publish(const std::string& id,
               const std::string& members = R"("body": "Some text.")") const {
    const std::string body = absl::StrContains(members, "\"body\"") ? "" : R"(, "body": "Text.")";
    Make("PublishArticle",
         absl::StrCat(R"({"article": {"name": "articles/)", id, R"(", "title": "About )", id,
                      R"(", )", members, body, "}}"));
  }

  // Adds a comment and returns its name.
  std::string Comment(const std::string& reply_to = "",
                      const std::string& parent = "articles/story",
                      const std::string& comment = "$comment") const {
    v1::CreateCommentRequest request;
    request.ParseFromString(Encoded("CreateComment", absl::StrCat("{\"comment\": ", comment, "}")));
    request.set_parent(parent);
    request.mutable_comment()->set_reply_to(Filled(reply_to));
    v1::CreateCommentResponse response;
    const grpc::Status status = client_->Create(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.comment().name();
  }
};

TEST_P(ErrorsTest, WhatCallersDoWrong) {
  Start();
  for (const Case& test : CallersErrors()) {
    SCOPED_TRACE(absl::StrCat(test.rpc, " ", Filled(test.request)));
    Expect(Ask(test.rpc, test.request), test.rpc, test.condition, test.details);
  }
}

TEST_P(ErrorsTest, BytesThatAreNoRequest) {
  Start();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->name());
    grpc::ClientContext context;
    Expect(Call(*client_, method->name(), "\xff", context), method->name(),
           "a malformed or missing field", {});
  }
}

TEST_P(ErrorsTest, CallsWithoutARequest) {
  Start();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->name());
    Expect(CallWithoutRequest(
               *client_, absl::StrCat("/", method->service()->full_name(), "/", method->name())),
           method->name(), kIncomplete, {});
  }
}

TEST_P(ErrorsTest, RequestsOverFourMebibytes) {
  Start();
  const std::string huge((4 << 20) + 1, 'x');
  for (const std::string& rpc : RowOf("GetArticle", kTooLarge).rpcs) {
    SCOPED_TRACE(rpc);
    grpc::ClientContext context;
    const grpc::Status status = Call(*client_, rpc, huge, context);
    EXPECT_EQ(CodeName(status.error_code()), RowOf(rpc, kTooLarge).code);
    EXPECT_EQ(status.error_details(), "");
    EXPECT_EQ(RowOf(rpc, kTooLarge).reason, "(no details)");
  }
}

// Asks until it is refused: the server's own jobs end after a while and leave their places.
TEST_P(ErrorsTest, TooManyCallsWaiting) {
  Start({"--read-connections", "1", "--write-connections", "1", "--queue-limit", "1",
         "--statement-timeout", "5m"});
  Session session(url_);
  LockEverything(session);
  std::vector<std::future<grpc::Status>> calls;
  const auto fill_pools = [&] {
    const v1::GetServerInfoResponse info = Info();
    bool are_full = info.store().pools_size() > 0;
    for (const v1::PoolInfo& pool : info.store().pools()) {
      if (pool.name() == "checks" || IsFull(pool)) continue;
      are_full = false;
      calls.push_back(AskToWaitIn(pool.name(), calls.size()));
    }
    return are_full;
  };
  for (const std::string& rpc : RpcsThatNeedTheDatabase(kOverloaded)) {
    SCOPED_TRACE(rpc);
    grpc::Status status;
    AwaitThat([&] {
      if (!fill_pools()) return false;
      status = Ask(rpc, ValidRequests().at(rpc), std::chrono::seconds(1));
      return ReasonOf(status) == "OVERLOADED";
    });
    Expect(status, rpc, kOverloaded, {"retry"});
  }
  EXPECT_TRUE(Ask("GetServerInfo", "{}").ok());
  session.Run("ROLLBACK");
}

// It uses more than this from the start.
TEST_P(ErrorsTest, MemoryIsShort) {
  Start();
  Serve({"--memory-limit", "1KiB"});
  ExpectOfEach(kMemoryShort, {"retry"});
}

TEST_P(ErrorsTest, TheDatabaseIsAway) {
  Start();
  const Outage outage(url_);
  ExpectOfEach(kUnreachable, {"retry"});
}

TEST_P(ErrorsTest, TheServerIsStopping) {
  Start();
  std::map<std::string, std::future<grpc::Status>> calls;
  for (const std::string& rpc : RowOf("WatchComments", kStopping).rpcs) calls[rpc] = AskAsync(rpc);
  AwaitThat([&] { return Info().watcher_count() >= static_cast<int64_t>(calls.size()); });
  server_->Signal(SIGTERM);
  for (auto& [rpc, call] : calls) {
    SCOPED_TRACE(rpc);
    Expect(call.get(), rpc, kStopping, {"retry"});
  }
  EXPECT_EQ(server_->Wait(), 0);
}

TEST_P(ErrorsTest, TheConnectionBreaksWhileCommitting) {
  if (OnCitus()) GTEST_SKIP() << "distributed tables have no triggers";
  Start();
  // Every commit waits at the gate, which the test holds, and is killed there, as is its second
  // attempt.
  Query(url_, R"sql(
    CREATE TABLE gate (id int);
    INSERT INTO gate VALUES (1);
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM FROM gate FOR SHARE; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON article_state
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate();
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON comment_report
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate();
    CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE OR DELETE ON author_block
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate())sql");
  Session session(url_);
  session.Run("BEGIN; SELECT FROM gate FOR UPDATE");
  const std::string kill = absl::StrCat(
      "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
      "WHERE datname = current_database() AND wait_event_type = 'Lock' AND ",
      session.Run("SELECT pg_backend_pid()"), " = ANY (pg_blocking_pids(pid))");
  for (const std::string& rpc : RpcsThatNeedTheDatabase(kOutcomeUnknown)) {
    SCOPED_TRACE(rpc);
    auto call = AskAsync(rpc);
    for (int attempt = 1; attempt <= 2; ++attempt) {
      while (Query(url_, kill) == "0") {
        ASSERT_NE(call.wait_for(std::chrono::seconds(0)), std::future_status::ready)
            << call.get().error_message();
      }
    }
    Expect(call.get(), rpc, kOutcomeUnknown, {"retry"});
  }
}

TEST_P(ErrorsTest, WritesKeepColliding) {
  if (OnCitus()) GTEST_SKIP() << "distributed tables have no triggers";
  Start();
  Query(url_, R"sql(
    CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'collision' USING ERRCODE = 'serialization_failure'; END $$;
    CREATE TRIGGER collide BEFORE INSERT OR UPDATE ON article_state
      FOR EACH ROW EXECUTE FUNCTION collide();
    CREATE TRIGGER collide BEFORE INSERT ON comment_report
      FOR EACH ROW EXECUTE FUNCTION collide();
    CREATE TRIGGER collide BEFORE UPDATE OR DELETE ON author_block
      FOR EACH ROW EXECUTE FUNCTION collide())sql");
  ExpectOfEach(kContention, {"retry"});
}

TEST_P(ErrorsTest, TheWorkTakesTooLong) {
  Start({"--statement-timeout", "200ms"});
  Session session(url_);
  LockEverything(session);
  for (const std::string& rpc : RpcsThatNeedTheDatabase(kTooLate)) {
    if (absl::StartsWith(rpc, "Watch")) continue;  // never ends by itself
    SCOPED_TRACE(rpc);
    Expect(Ask(rpc, ValidRequests().at(rpc)), rpc, kTooLate, {});
  }
}

TEST_P(ErrorsTest, TheCallersDeadlinePasses) {
  Start();
  Session session(url_);
  LockEverything(session);
  for (const std::string& rpc : RpcsThatNeedTheDatabase(kTooLate)) {
    SCOPED_TRACE(rpc);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    // The status is the client's own, unless the server's comes first.
    const grpc::Status status = Call(*client_, rpc, Encoded(rpc, ValidRequests().at(rpc)), context);
    EXPECT_EQ(CodeName(status.error_code()), RowOf(rpc, kTooLate).code);
  }
}

TEST_P(ErrorsTest, TheCallerCancels) {
  Start();
  Session session(url_);
  LockEverything(session);
  for (const std::string& rpc : RpcsThatNeedTheDatabase(kCancelled)) {
    SCOPED_TRACE(rpc);
    grpc::ClientContext context;
    auto call = std::async(std::launch::async, [&] {
      return Call(*client_, rpc, Encoded(rpc, ValidRequests().at(rpc)), context);
    });
    AwaitWaitersForLocks(url_, 1);
    context.TryCancel();
    // The status is the client's own, because the server's comes too late.
    EXPECT_EQ(CodeName(call.get().error_code()), RowOf(rpc, kCancelled).code);
    // The cache confirms its entries even if nobody waits, and asks again.
    CancelWaitersForLocks(url_);
  }
}

// As while a dump is restored.
TEST_P(ErrorsTest, TheSchemaIsGone) {
  Start();
  Query(url_, "DROP TABLE schema_migration");
  EXPECT_NE(server_->WaitForEvent("schema does not fit"), "");
  ExpectOfEach(kUnreachable, {"retry"});
}

// All but the one that tells the version of the schema.
constexpr char kDropTables[] = R"sql(
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables
              WHERE schemaname = 'public' AND tablename <> 'schema_migration' LOOP
    EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', name);
  END LOOP;
END $$)sql";

TEST_P(ErrorsTest, TheDatabaseIsBroken) {
  Start();
  Query(url_, kDropTables);
  ExpectOfEach(kInternal, {});
  EXPECT_NE(server_->WaitForEvent("internal error"), "");
}

INSTANTIATE_TEST_SUITE_P(, ErrorsTest, ::testing::Values("256MiB", "0"), [](const auto& instance) {
  return instance.index == 0 ? "WithMemory" : "WithoutMemory";
});

}  // namespace
}  // namespace content::testing
