// Promises of the proto files that involve several RPCs: changed names, pages of one RPC that
// continue in another, writes that later reads must show, and what readers never see.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Content = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;

class ContractTest : public ::testing::Test {
 protected:
  void SetUp() override { AwaitServing(client_); }

  // Makes a call that must succeed.
  template <class Request, class Response>
  Response Ask(grpc::Status (Content::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) {
    return Ask(method, client_.content(), request);
  }
  template <class Request, class Response>
  Response Ask(grpc::Status (Admin::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) {
    return Ask(method, client_.admin(), request);
  }

  v1::Comment Add(const std::string& article_id, const std::string& body,
                  const std::string& reply_to = "") {
    v1::CreateCommentRequest request = MakeCommentRequest(article_id, body);
    request.mutable_comment()->set_reply_to(reply_to);
    return Ask(&Content::CreateComment, request).comment();
  }

  v1::GetArticleResponse GetArticle(const std::string& name) {
    v1::GetArticleRequest request;
    request.set_name(name);
    return Ask(&Content::GetArticle, request);
  }

  v1::ListCommentsResponse ListComments(const std::string& parent) {
    v1::ListCommentsRequest request;
    request.set_parent(parent);
    return Ask(&Content::ListComments, request);
  }

  void Moderate(const std::string& name, v1::CommentState state) {
    v1::ModerateCommentRequest request;
    request.set_name(name);
    request.set_state(state);
    Ask(&Admin::ModerateComment, request);
  }

  void Rename(const std::string& name, const std::string& new_name) {
    v1::RenameArticleRequest request;
    request.set_name(name);
    request.set_new_name(new_name);
    EXPECT_EQ(Ask(&Admin::RenameArticle, request).article().name(), new_name);
  }

  // What a watcher that starts at revision 0 is sent before it is up to date.
  std::vector<v1::Comment> Watched(const std::string& parent, int64_t up_to_revision) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::WatchCommentsRequest request;
    request.set_parent(parent);
    const auto stream = client_.content().WatchComments(&context, request);
    std::vector<v1::Comment> comments;
    v1::WatchCommentsResponse response;
    while (response.article_revision() < up_to_revision && stream->Read(&response)) {
      comments.insert(comments.end(), response.comments().begin(), response.comments().end());
    }
    EXPECT_EQ(response.article_revision(), up_to_revision);
    context.TryCancel();
    return comments;
  }

  const std::string url_ = NewDatabase();
  ContentdServer server_{{"--database-url", url_}};
  Client client_{server_.address()};

 private:
  template <class Stub, class Request, class Response>
  static Response Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      Stub& stub, const Request& request) {
    Response response;
    const grpc::Status status = Client::Call(method, stub, request, response);
    EXPECT_TRUE(status.ok()) << Request::descriptor()->name() << ": " << status.error_message();
    return response;
  }
};

std::vector<std::string> NamesOf(const google::protobuf::RepeatedPtrField<v1::Comment>& comments) {
  std::vector<std::string> names;
  for (const v1::Comment& comment : comments) names.push_back(comment.name());
  return names;
}

TEST_F(ContractTest, AFormerNameDoesInEveryRequestAndAnswersHaveTheCurrentOne) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  const std::string first = Add("story", "first").name();
  Rename("articles/story", "articles/tale");
  const std::string now_first = absl::StrReplaceAll(first, {{"story", "tale"}});

  EXPECT_EQ(GetArticle("articles/story").article().name(), "articles/tale");
  v1::BatchGetArticlesRequest batch;
  batch.add_names("articles/story");
  batch.add_names("articles/tale");
  const auto articles = Ask(&Content::BatchGetArticles, batch).articles();
  ASSERT_EQ(articles.size(), 2);
  EXPECT_EQ(articles[0].name(), "articles/tale");
  EXPECT_EQ(articles[1].name(), "articles/tale");
  v1::GetArticlePageRequest page;
  page.set_name("articles/story");
  EXPECT_EQ(Ask(&Content::GetArticlePage, page).comments(0).name(), now_first);
  v1::GetCommentRequest get;
  get.set_name(first);
  EXPECT_EQ(Ask(&Content::GetComment, get).comment().name(), now_first);

  // Former and current names may be mixed.
  const v1::Comment reply = Add("story", "reply", now_first);
  EXPECT_EQ(reply.reply_to(), now_first);
  EXPECT_THAT(reply.name(), ::testing::StartsWith("articles/tale/"));
  EXPECT_EQ(Add("tale", "another reply", first).reply_to(), now_first);
  EXPECT_THAT(NamesOf(ListComments("articles/story").comments()),
              Each(::testing::StartsWith("articles/tale/")));
  v1::ListCommentsRequest thread;
  thread.set_parent("articles/tale");
  thread.set_reply_to(first);
  EXPECT_EQ(Ask(&Content::ListComments, thread).comments_size(), 2);

  v1::UpdateCommentRequest update;
  update.mutable_comment()->set_name(first);
  update.mutable_comment()->set_body("other words");
  EXPECT_EQ(Ask(&Content::UpdateComment, update).comment().name(), now_first);
  for (const v1::Comment& comment :
       Watched("articles/story", GetArticle("articles/tale").article().revision())) {
    EXPECT_THAT(comment.name(), ::testing::StartsWith("articles/tale/"));
  }
  v1::ModerateCommentRequest moderate;
  moderate.set_name(first);
  moderate.set_state(v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(Ask(&Admin::ModerateComment, moderate).comment().name(), now_first);
  EXPECT_THAT(NamesOf(Ask(&Admin::ListModerationQueue, {}).comments()), ElementsAre(now_first));
  v1::InspectCommentRequest inspect_comment;
  inspect_comment.set_name(first);
  EXPECT_EQ(Ask(&Admin::InspectComment, inspect_comment).comment().name(), now_first);
  v1::ImportCommentsRequest import;
  import.set_parent("articles/story");
  import.set_source("disqus:forum");
  v1::ImportedComment& imported = *import.add_comments();
  imported.set_source_id("1");
  imported.set_reply_to(first);
  imported.set_state(v1::COMMENT_STATE_DELETED);
  imported.mutable_create_time();
  const v1::ImportCommentsResponse answer = Ask(&Admin::ImportComments, import);
  EXPECT_THAT(answer.results(0).name(), ::testing::StartsWith("articles/tale/"));
  EXPECT_EQ(answer.results(0).placement(), v1::THREAD_PLACEMENT_AS_GIVEN);
  v1::DeleteCommentRequest remove;
  remove.set_name(first);
  EXPECT_GT(Ask(&Content::DeleteComment, remove).article_revision(), 0);
  v1::EraseCommentRequest erase;
  erase.set_name(absl::StrReplaceAll(reply.name(), {{"tale", "story"}}));
  EXPECT_GT(Ask(&Admin::EraseComment, erase).article_revision(), 0);

  v1::PublishArticleRequest publish;
  *publish.mutable_article() = MakeArticle("story");
  publish.mutable_article()->set_body("Another text.");
  const v1::PublishArticleResponse published = Ask(&Admin::PublishArticle, publish);
  EXPECT_EQ(published.outcome(), v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_EQ(published.article().name(), "articles/tale");
  v1::UpdateArticleRequest edit;
  edit.mutable_article()->set_name("articles/story");
  edit.mutable_article()->set_summary("Summary.");
  EXPECT_EQ(Ask(&Admin::UpdateArticle, edit).article().name(), "articles/tale");
  v1::InspectArticleRequest inspect;
  inspect.set_name("articles/story");
  EXPECT_THAT(Ask(&Admin::InspectArticle, inspect).former_names(), ElementsAre("articles/story"));
  v1::RetractArticleRequest retract;
  retract.set_name("articles/story");
  EXPECT_GT(Ask(&Admin::RetractArticle, retract).revision(), 0);
}

TEST_F(ContractTest, AnArticlePageGoesOnAsAListOfComments) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  std::vector<std::string> in_time;
  for (int i = 0; i < 5; ++i) in_time.push_back(Add("story", absl::StrCat("comment ", i)).name());
  in_time.push_back(Add("story", "reply", in_time[0]).name());
  for (const v1::CommentOrder order : {v1::COMMENT_ORDER_UNSPECIFIED, v1::COMMENT_ORDER_NEWEST,
                                       v1::COMMENT_ORDER_OLDEST, v1::COMMENT_ORDER_THREADED}) {
    SCOPED_TRACE(order);
    v1::GetArticlePageRequest page;
    page.set_name("articles/story");
    page.set_comment_page_size(2);
    page.set_comment_order(order);
    const v1::GetArticlePageResponse first = Ask(&Content::GetArticlePage, page);
    EXPECT_EQ(first.article().comment_count(), 6);
    std::vector<std::string> names = NamesOf(first.comments());
    EXPECT_EQ(names.size(), 2);

    v1::ListCommentsRequest list;
    list.set_parent("articles/story");
    list.set_order(order);
    list.set_page_token(first.next_comment_page_token());
    const v1::ListCommentsResponse rest = Ask(&Content::ListComments, list);
    EXPECT_EQ(rest.next_page_token(), "");
    for (const std::string& name : NamesOf(rest.comments())) names.push_back(name);
    list.clear_page_token();
    EXPECT_EQ(names, NamesOf(Ask(&Content::ListComments, list).comments()));

    page.set_comment_page_size(6);
    EXPECT_EQ(Ask(&Content::GetArticlePage, page).next_comment_page_token(), "");
  }
}

TEST_F(ContractTest, AReadThatDemandsAWriteShowsItOrSaysThatItCannot) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  const v1::Comment comment = Add("story", "text");
  const int64_t revision = comment.article_revision();

  v1::GetArticleRequest article;
  article.set_name("articles/story");
  article.set_min_revision(revision);
  EXPECT_EQ(Ask(&Content::GetArticle, article).article().comment_count(), 1);
  v1::GetArticlePageRequest page;
  page.set_name("articles/story");
  page.set_min_revision(revision);
  EXPECT_EQ(Ask(&Content::GetArticlePage, page).comments_size(), 1);
  v1::GetCommentRequest get;
  get.set_name(comment.name());
  get.set_min_revision(revision);
  EXPECT_EQ(Ask(&Content::GetComment, get).comment().body(), "text");
  v1::ListCommentsRequest list;
  list.set_parent("articles/story");
  list.set_min_revision(revision);
  EXPECT_EQ(Ask(&Content::ListComments, list).article_revision(), revision);

  // Every kind of write raises it and returns the new revision.
  v1::UpdateCommentRequest update;
  update.mutable_comment()->set_name(comment.name());
  update.mutable_comment()->set_body("other words");
  EXPECT_EQ(Ask(&Content::UpdateComment, update).comment().article_revision(), revision + 1);
  v1::ModerateCommentRequest moderate;
  moderate.set_name(comment.name());
  moderate.set_state(v1::COMMENT_STATE_HIDDEN);
  EXPECT_EQ(Ask(&Admin::ModerateComment, moderate).comment().article_revision(), revision + 2);
  v1::DeleteCommentRequest remove;
  remove.set_name(comment.name());
  EXPECT_EQ(Ask(&Content::DeleteComment, remove).article_revision(), revision + 3);
  v1::UpdateArticleRequest edit;
  edit.mutable_article()->set_name("articles/story");
  edit.mutable_article()->set_summary("Summary.");
  EXPECT_EQ(Ask(&Admin::UpdateArticle, edit).article().revision(), revision + 4);
  article.set_min_revision(revision + 4);
  EXPECT_EQ(Ask(&Content::GetArticle, article).article().summary(), "Summary.");
}

TEST_F(ContractTest, ASearchPagesThroughWhatReadersSee) {
  for (const char* id : {"harbour", "lighthouse", "tide"}) {
    v1::Article article = MakeArticle(id);
    article.set_body(absl::StrCat("All about the ", id, ", and **ships** in fog."));
    article.set_language_code("en-GB");
    ASSERT_TRUE(client_.Publish(article).ok());
  }
  v1::Article scheduled = MakeArticle("ferry");
  scheduled.set_body("Ships, later.");
  scheduled.mutable_publish_time()->set_seconds(32'000'000'000);
  ASSERT_TRUE(client_.Publish(scheduled).ok());

  v1::SearchArticlesRequest request;
  request.set_query("ship -tide");
  request.set_page_size(1);
  std::vector<std::string> names;
  do {
    const v1::SearchArticlesResponse response = Ask(&Content::SearchArticles, request);
    for (const v1::SearchResult& result : response.results()) {
      names.push_back(result.article().name());
      EXPECT_EQ(result.article().body(), "");
      std::string highlighted;
      for (const v1::SnippetPart& part : result.snippet()) {
        if (part.highlighted()) highlighted += part.text();
      }
      EXPECT_EQ(highlighted, "ships");
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("articles/harbour", "articles/lighthouse"));

  request.set_language_code("pt");
  EXPECT_THAT(Ask(&Content::SearchArticles, request).results(), IsEmpty());
}

TEST_F(ContractTest, CanonicalEquivalentsAndEdgeSpacesMakeNoDifference) {
  v1::Article article = MakeArticle("post");
  article.set_title("\u3000 Cafe\u0301 ");
  article.add_tags("cafe\u0301");
  article.add_authors()->set_display_name(" Zoe\u0308");
  article.set_body("Cafe\u0301, \u1112\u1161\u11AB\u1100\u1173\u11AF.");
  v1::PublishArticleRequest publish;
  *publish.mutable_article() = article;
  const v1::Article stored = Ask(&Admin::PublishArticle, publish).article();
  EXPECT_EQ(stored.title(), "Café");
  EXPECT_EQ(stored.body(), "Café, 한글.");

  v1::ListArticlesRequest list;
  list.set_tag(" caf\u00E9");
  list.set_author("Zo\u00EB");
  EXPECT_EQ(Ask(&Content::ListArticles, list).articles_size(), 1);
  list.set_tag("cafe\u0301");
  list.set_author("Zoe\u0308\u00A0");
  EXPECT_EQ(Ask(&Content::ListArticles, list).articles_size(), 1);
  for (const char* query : {"caf\u00E9", "cafe\u0301", "한글", "\u1112\u1161\u11AB"}) {
    v1::SearchArticlesRequest search;
    search.set_query(query);
    EXPECT_EQ(Ask(&Content::SearchArticles, search).results_size(), 1) << query;
  }

  v1::CreateCommentRequest comment = MakeCommentRequest("post", "e\u0301");
  comment.mutable_comment()->mutable_author()->set_id(" u1");
  comment.set_request_id("6f0d1f6e-8d0a-4a49-b6b3-3a2f6a0c9f11");
  const std::string name = Ask(&Content::CreateComment, comment).comment().name();
  comment.mutable_comment()->set_body("\u00E9");
  comment.mutable_comment()->mutable_author()->set_id("u1");
  EXPECT_EQ(Ask(&Content::CreateComment, comment).comment().name(), name);  // the same request
  const v1::Comment only = ListComments("articles/post").comments(0);
  EXPECT_EQ(only.author().id(), "u1");
  EXPECT_EQ(only.body(), "\u00E9");
}

TEST_F(ContractTest, AScheduledArticleIsForPublishersOnly) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  const v1::Comment comment = Add("story", "text");
  const v1::Comment deleted = Add("story", "another text");
  v1::UpdateArticleRequest schedule;
  schedule.mutable_article()->set_name("articles/story");
  schedule.mutable_article()->mutable_publish_time()->set_seconds(32'000'000'000);
  Ask(&Admin::UpdateArticle, schedule);

  v1::BatchGetArticlesRequest batch;
  batch.add_names("articles/story");
  batch.set_allow_missing(true);
  EXPECT_THAT(Ask(&Content::BatchGetArticles, batch).missing_names(),
              ElementsAre("articles/story"));
  EXPECT_THAT(Ask(&Content::ListArticles, {}).articles(), IsEmpty());
  v1::InspectArticleRequest inspect;
  inspect.set_name("articles/story");
  const v1::InspectArticleResponse inspected = Ask(&Admin::InspectArticle, inspect);
  EXPECT_FALSE(inspected.retracted());
  EXPECT_EQ(inspected.article().publish_time().seconds(), 32'000'000'000);
  EXPECT_EQ(inspected.article().body(), "Some text.");

  // A moderator can read and delete its comments, too.
  v1::InspectCommentRequest inspect_comment;
  inspect_comment.set_name(comment.name());
  EXPECT_EQ(Ask(&Admin::InspectComment, inspect_comment).comment().body(), "text");
  v1::EraseCommentRequest erase;
  erase.set_name(deleted.name());
  EXPECT_EQ(Ask(&Admin::EraseComment, erase).article_revision(),
            inspected.article().revision() + 1);
  inspect_comment.set_name(deleted.name());
  EXPECT_EQ(Ask(&Admin::InspectComment, inspect_comment).comment().state(),
            v1::COMMENT_STATE_DELETED);

  schedule.mutable_article()->mutable_publish_time()->set_seconds(1'600'000'000);
  Ask(&Admin::UpdateArticle, schedule);
  EXPECT_EQ(GetArticle("articles/story").article().comment_count(), 1);
}

TEST_F(ContractTest, ABlockedAuthorIsRefusedAmongWritesOfOthers) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  v1::BlockAuthorRequest block;
  block.set_author_id(" troll ");
  block.set_reason("spam");
  EXPECT_EQ(Ask(&Admin::BlockAuthor, block).author().author_id(), "troll");
  const auto listed = Ask(&Admin::ListBlockedAuthors, {}).blocked_authors();
  ASSERT_EQ(listed.size(), 1);
  EXPECT_EQ(listed[0].reason(), "spam");

  std::vector<std::future<grpc::Status>> writes;
  for (int i = 0; i < 20; ++i) {
    writes.push_back(std::async(std::launch::async, [this, i] {
      v1::CreateCommentRequest request = MakeCommentRequest("story", absl::StrCat(i));
      if (i % 4 == 0) request.mutable_comment()->mutable_author()->set_id("troll");
      return client_.Create(request);
    }));
  }
  for (size_t i = 0; i < writes.size(); ++i) {
    const grpc::Status status = writes[i].get();
    EXPECT_EQ(ReasonOf(status), i % 4 == 0 ? "AUTHOR_BLOCKED" : "") << i;
  }
  EXPECT_EQ(GetArticle("articles/story").article().comment_count(), 15);

  v1::UnblockAuthorRequest unblock;
  unblock.set_author_id("troll");
  Ask(&Admin::UnblockAuthor, unblock);
  EXPECT_EQ(Ask(&Admin::ListBlockedAuthors, {}).blocked_authors_size(), 0);
}

TEST_F(ContractTest, TheAuditTrailTellsWhatWasDone) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  const v1::Comment comment = Add("story", "hello");
  Moderate(comment.name(), v1::COMMENT_STATE_HIDDEN);
  v1::BlockAuthorRequest block;
  block.set_author_id("troll");
  Ask(&Admin::BlockAuthor, block);

  v1::ListAuditEventsRequest list;
  list.set_page_size(2);
  const auto newest = Ask(&Admin::ListAuditEvents, list);
  ASSERT_EQ(newest.events_size(), 2);
  EXPECT_EQ(newest.events(0).action(), v1::AUDIT_ACTION_BLOCK_AUTHOR);
  EXPECT_EQ(newest.events(0).author_id(), "troll");
  EXPECT_EQ(newest.events(1).action(), v1::AUDIT_ACTION_MODERATE_COMMENT);
  EXPECT_EQ(newest.events(1).comment(), comment.name());
  EXPECT_EQ(newest.events(1).state(), v1::COMMENT_STATE_HIDDEN);
  list.set_page_token(newest.next_page_token());
  const auto oldest = Ask(&Admin::ListAuditEvents, list);
  ASSERT_EQ(oldest.events_size(), 1);
  EXPECT_EQ(oldest.events(0).action(), v1::AUDIT_ACTION_PUBLISH_ARTICLE);
  EXPECT_EQ(oldest.events(0).article(), "articles/story");
  EXPECT_EQ(oldest.events(0).outcome(), v1::PUBLISH_OUTCOME_CREATED);
  EXPECT_EQ(oldest.next_page_token(), "");

  v1::ListAuditEventsRequest filtered;
  filtered.set_article("articles/story");
  *filtered.mutable_end_time() = newest.events(1).create_time();
  const auto before = Ask(&Admin::ListAuditEvents, filtered);
  ASSERT_EQ(before.events_size(), 1);
  EXPECT_EQ(before.events(0).id(), oldest.events(0).id());
}

TEST_F(ContractTest, WhatAModeratorKeepsBackReadersGetFromNoRpc) {
  v1::Article article = MakeArticle("story");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  ASSERT_TRUE(client_.Publish(article).ok());
  const v1::Comment pending = Add("story", "secret while it waits");
  EXPECT_EQ(pending.state(), v1::COMMENT_STATE_PENDING);
  const auto queue = Ask(&Admin::ListModerationQueue, {}).comments();
  EXPECT_THAT(NamesOf(queue), ElementsAre(pending.name()));
  EXPECT_EQ(queue[0].body(), "secret while it waits");

  Moderate(pending.name(), v1::COMMENT_STATE_VISIBLE);
  const v1::Comment reply = Add("story", "an answer", pending.name());
  Moderate(reply.name(), v1::COMMENT_STATE_VISIBLE);
  Moderate(pending.name(), v1::COMMENT_STATE_HIDDEN);
  const v1::Comment waiting = Add("story", "secret to this day", reply.name());

  // The hidden comment has a reply that is shown, so it appears as a placeholder.
  v1::GetCommentRequest get;
  get.set_name(pending.name());
  const v1::Comment placeholder = Ask(&Content::GetComment, get).comment();
  EXPECT_EQ(placeholder.state(), v1::COMMENT_STATE_HIDDEN);
  EXPECT_EQ(placeholder.reply_count(), 1);
  EXPECT_FALSE(placeholder.has_author());

  v1::GetArticlePageRequest page;
  page.set_name("articles/story");
  const v1::GetArticlePageResponse shown = Ask(&Content::GetArticlePage, page);
  EXPECT_THAT(NamesOf(shown.comments()), ElementsAre(reply.name(), pending.name()));
  EXPECT_EQ(shown.article().comment_count(), 1);
  std::string everything = absl::StrCat(placeholder.DebugString(), shown.DebugString(),
                                        ListComments("articles/story").DebugString());
  for (const v1::Comment& comment : Watched("articles/story", shown.article().revision())) {
    everything += comment.DebugString();
  }
  EXPECT_THAT(everything, Not(HasSubstr("secret")));
  EXPECT_THAT(everything, Not(HasSubstr(waiting.name())));

  // Its author and moderators see it.
  v1::InspectCommentRequest inspect;
  inspect.set_name(waiting.name());
  EXPECT_EQ(Ask(&Admin::InspectComment, inspect).comment().body(), "secret to this day");
  v1::ListModerationQueueRequest hidden;
  hidden.set_state(v1::COMMENT_STATE_HIDDEN);
  EXPECT_EQ(Ask(&Admin::ListModerationQueue, hidden).comments(0).body(), "secret while it waits");
}

}  // namespace
}  // namespace content::testing
