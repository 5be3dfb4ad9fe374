#include "api/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "content/page_token.h"
#include "content/rules.h"

namespace content::api {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr char kId[] = "0190a8f0-0000-7000-8000-000000000000";

template <class Request>
std::string Problems(const Request& request) {
  return std::string(Validate(request).status().message());
}

TEST(Requests, EmptyOnesAreToldEverythingThatIsMissing) {
  EXPECT_EQ(Problems(v1::GetArticleRequest()), "name is required");
  EXPECT_EQ(Problems(v1::BatchGetArticlesRequest()), "names is required");
  EXPECT_EQ(Problems(v1::ListArticlesRequest()), "");
  EXPECT_EQ(Problems(v1::SearchArticlesRequest()), "query is required");
  EXPECT_EQ(Problems(v1::GetArticlePageRequest()), "name is required");
  EXPECT_EQ(Problems(v1::GetCommentRequest()), "name is required");
  EXPECT_EQ(Problems(v1::ListCommentsRequest()), "parent is required");
  EXPECT_EQ(Problems(v1::CreateCommentRequest()),
            "parent is required; comment.author.id is required; comment.author.display_name is "
            "required; comment.body is required");
  EXPECT_EQ(Problems(v1::UpdateCommentRequest()),
            "comment.name is required; update_mask names no field, and none is set");
  EXPECT_EQ(Problems(v1::DeleteCommentRequest()), "name is required");
  EXPECT_EQ(Problems(v1::PublishArticleRequest()),
            "article.title is required; article.body is required");
  EXPECT_EQ(Problems(v1::UpdateArticleRequest()),
            "article.name is required; update_mask names no field, and none is set");
  EXPECT_EQ(Problems(v1::RenameArticleRequest()), "name is required; new_name is required");
  EXPECT_EQ(Problems(v1::RetractArticleRequest()), "name is required");
  EXPECT_EQ(Problems(v1::InspectArticleRequest()), "name is required");
  EXPECT_EQ(Problems(v1::ModerateCommentRequest()), "name is required; state is required");
  EXPECT_EQ(Problems(v1::ListModerationQueueRequest()), "");
}

TEST(Requests, ViewsHaveTheirDefaults) {
  v1::GetArticleRequest get;
  get.set_name("articles/a");
  EXPECT_EQ(Validate(get)->view, v1::ARTICLE_VIEW_FULL);
  v1::BatchGetArticlesRequest batch;
  batch.add_names("articles/a");
  EXPECT_EQ(Validate(batch)->view, v1::ARTICLE_VIEW_BASIC);
  EXPECT_EQ(Validate(v1::ListArticlesRequest())->view, v1::ARTICLE_VIEW_BASIC);
  get.set_view(static_cast<v1::ArticleView>(77));
  EXPECT_EQ(Problems(get), "view is not a value of ArticleView");
}

TEST(Requests, ABatchHasAtMost100Names) {
  v1::BatchGetArticlesRequest request;
  for (int i = 0; i < 100; ++i) request.add_names("articles/a");
  EXPECT_EQ(Validate(request)->ids.size(), 100);
  request.add_names("articles/a");
  EXPECT_EQ(Problems(request), "names has more than 100");
  request.clear_names();
  request.add_names("articles/a");
  request.add_names("articles/../b");
  EXPECT_THAT(Problems(request), StartsWith("names[1] is not articles/{id}"));
}

TEST(Requests, PageSizesAreDefaultedAndCapped) {
  const auto size = [](int32_t page_size) {
    v1::ListCommentsRequest request;
    request.set_parent("articles/a");
    request.set_page_size(page_size);
    return Validate(request);
  };
  EXPECT_EQ(size(0)->page_size, 25);
  EXPECT_EQ(size(7)->page_size, 7);
  EXPECT_EQ(size(1'000'000)->page_size, 200);
  EXPECT_EQ(size(-1).status().message(), "page_size is negative");
  v1::ListArticlesRequest articles;
  articles.set_page_size(1'000'000);
  EXPECT_EQ(Validate(articles)->page_size, 100);
}

TEST(Requests, ATokenIsGoodForItsQueryWithAnyPageSize) {
  v1::ListCommentsRequest request;
  request.set_parent("articles/a");
  request.set_page_token(MakePageToken(QueryIdentity(request), kId));
  request.set_page_size(3);
  request.set_min_revision(5);
  EXPECT_EQ(Validate(request)->after_key, kId);

  v1::ListCommentsRequest other_order = request;
  other_order.set_order(v1::COMMENT_ORDER_OLDEST);
  v1::ListCommentsRequest other_article = request;
  other_article.set_parent("articles/b");
  v1::ListCommentsRequest other_thread = request;
  other_thread.set_reply_to(absl::StrCat("articles/a/comments/", kId));
  for (const auto& other : {other_order, other_article, other_thread}) {
    EXPECT_EQ(Problems(other), "page_token is not a next_page_token of this very query");
  }
}

TEST(Requests, AnArticlesTokenIsBoundToEveryFilter) {
  v1::ListArticlesRequest request;
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  ASSERT_TRUE(Validate(request).ok());
  for (int i = 0; i < 6; ++i) {
    v1::ListArticlesRequest other = request;
    if (i == 0) other.set_order(v1::ARTICLE_ORDER_OLDEST);
    if (i == 1) other.set_view(v1::ARTICLE_VIEW_FULL);
    if (i == 2) other.set_author("x");
    if (i == 3) other.set_tag("x");
    if (i == 4) other.mutable_published_after()->set_seconds(1);
    if (i == 5) other.mutable_published_before()->set_seconds(1);
    EXPECT_FALSE(Validate(other).ok()) << i;
  }
}

TEST(Requests, AReplyNamesAComment) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/a");
  request.mutable_comment()->mutable_author()->set_id("u");
  request.mutable_comment()->mutable_author()->set_display_name("U");
  request.mutable_comment()->set_body("text");
  // The article may be named otherwise there: by a former name.
  request.mutable_comment()->set_reply_to(absl::StrCat("articles/b/comments/", kId));
  EXPECT_EQ(Problems(request), "");
  request.mutable_comment()->set_reply_to("articles/a/comments/1");
  EXPECT_THAT(Problems(request), StartsWith("comment.reply_to is not articles/{id}"));
  request.mutable_comment()->set_reply_to(absl::StrCat("articles/a/comments/", kId));
  EXPECT_EQ(Validate(request)->reply_to_id, kId);
}

TEST(Requests, NegativeRevisionsAndControlCharactersAreRefused) {
  v1::GetArticleRequest get;
  get.set_name("articles/a");
  get.set_min_revision(-1);
  EXPECT_EQ(Problems(get), "min_revision is negative");
  v1::ListArticlesRequest list;
  list.set_author(std::string("a\0b", 3));
  list.set_tag("a\nb");
  EXPECT_EQ(Problems(list),
            "author has a control character or a line break; "
            "tag has a control character or a line break");
}

// ---- Pages of an article with its comments ----

TEST(Requests, APageOfAnArticleHasItsDefaultsAndLimits) {
  v1::GetArticlePageRequest request;
  request.set_name("articles/a");
  const auto least = Validate(request);
  ASSERT_TRUE(least.ok()) << least.status();
  EXPECT_EQ(least->view, v1::ARTICLE_VIEW_FULL);
  EXPECT_EQ(least->comments.article_id, "a");
  EXPECT_EQ(least->comments.page_size, 25);
  EXPECT_EQ(least->comments.order, v1::COMMENT_ORDER_NEWEST);
  request.set_view(v1::ARTICLE_VIEW_BASIC);
  request.set_comment_page_size(1'000);
  request.set_comment_order(v1::COMMENT_ORDER_THREADED);
  request.set_min_revision(7);
  const auto most = Validate(request);
  ASSERT_TRUE(most.ok()) << most.status();
  EXPECT_EQ(most->view, v1::ARTICLE_VIEW_BASIC);
  EXPECT_EQ(most->comments.page_size, 200);
  EXPECT_EQ(most->comments.order, v1::COMMENT_ORDER_THREADED);
  EXPECT_EQ(most->comments.min_revision, 7);

  request.set_name("a");
  request.set_view(static_cast<v1::ArticleView>(77));
  request.set_comment_page_size(-1);
  request.set_comment_order(static_cast<v1::CommentOrder>(77));
  request.set_min_revision(-1);
  EXPECT_EQ(Problems(request),
            absl::StrCat("view is not a value of ArticleView; name ", kArticleNameRule,
                         "; comment_page_size is negative; comment_order is not a value of "
                         "CommentOrder; min_revision is negative"));
}

TEST(Requests, TheTokenOfAPageOfAnArticleIsOneOfListComments) {
  v1::GetArticlePageRequest page;
  page.set_name("articles/a");
  page.set_view(v1::ARTICLE_VIEW_BASIC);
  page.set_comment_page_size(3);
  page.set_comment_order(v1::COMMENT_ORDER_OLDEST);
  page.set_min_revision(5);
  v1::ListCommentsRequest list;
  list.set_parent("articles/a");
  list.set_order(v1::COMMENT_ORDER_OLDEST);
  list.set_page_size(50);
  list.set_page_token(MakePageToken(QueryIdentity(page), kId));
  ASSERT_TRUE(Validate(list).ok());
  EXPECT_EQ(Validate(list)->after_key, kId);
  list.set_order(v1::COMMENT_ORDER_NEWEST);
  EXPECT_EQ(Problems(list), "page_token is not a next_page_token of this very query");
}

// ---- Searching, and the moderation queue ----

TEST(Requests, ASearchHasItsLimits) {
  v1::SearchArticlesRequest request;
  request.set_query("sea");
  request.set_language_code("PT-br");
  ASSERT_TRUE(Validate(request).ok());
  EXPECT_EQ(Validate(request)->text, "sea");
  EXPECT_EQ(Validate(request)->language, "pt");
  EXPECT_EQ(Validate(request)->page_size, 10);
  request.set_page_size(1'000);
  EXPECT_EQ(Validate(request)->page_size, 50);
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  EXPECT_EQ(Validate(request)->after_key, "key");
  request.set_language_code("");
  EXPECT_EQ(Problems(request), "page_token is not a next_page_token of this very query");

  request.clear_page_token();
  request.set_query("two\nlines");
  request.set_language_code("no tag");
  request.set_page_size(-1);
  EXPECT_EQ(Problems(request),
            "query has a control character or a line break; language_code is not a BCP 47 "
            "language tag such as en or pt-BR; page_size is negative");
  request.Clear();
  for (int i = 0; i < 300; ++i) request.mutable_query()->append("é");
  EXPECT_EQ(Problems(request), "");
  request.mutable_query()->append("x");
  EXPECT_EQ(Problems(request), "query has more than 300 characters");
}

TEST(Requests, TheModerationQueueIsOfWhatWaitsOrIsHidden) {
  v1::ListModerationQueueRequest request;
  EXPECT_EQ(Validate(request)->state, v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(Validate(request)->page_size, 25);
  for (const auto state : {v1::COMMENT_STATE_PENDING, v1::COMMENT_STATE_HIDDEN}) {
    request.set_state(state);
    EXPECT_EQ(Validate(request)->state, state);
  }
  request.set_page_size(1'000);
  EXPECT_EQ(Validate(request)->page_size, 200);
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  EXPECT_EQ(Validate(request)->after_key, "key");
  for (const auto state :
       {v1::COMMENT_STATE_VISIBLE, v1::COMMENT_STATE_DELETED, static_cast<v1::CommentState>(77)}) {
    request.set_state(state);
    EXPECT_EQ(Problems(request),
              "state is neither PENDING nor HIDDEN; page_token is not a next_page_token of this "
              "very query");
  }
}

// ---- Writes ----

TEST(Requests, AnEditOfACommentIsOfTheFieldsOfItsMask) {
  v1::UpdateCommentRequest request;
  request.mutable_comment()->set_name(CommentName("a", kId));
  request.mutable_comment()->set_etag("7");
  request.set_validate_only(true);
  const auto edit = [&request](const std::vector<std::string>& paths, const char* body,
                               const char* name) {
    request.mutable_update_mask()->clear_paths();
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    request.mutable_comment()->set_body(body);
    request.mutable_comment()->mutable_author()->set_display_name(name);
    return Validate(request);
  };
  const auto body = edit({"body"}, "text", "Ana");
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(body->comment.article_id, "a");
  EXPECT_EQ(body->comment.comment_id, kId);
  EXPECT_EQ(body->body, "text");
  EXPECT_EQ(body->author_display_name, std::nullopt);
  EXPECT_EQ(body->etag, "7");
  EXPECT_TRUE(body->validate_only);
  EXPECT_EQ(edit({"author.display_name"}, "text", "Ana")->body, std::nullopt);
  EXPECT_EQ(edit({"author.display_name"}, "text", "Ana")->author_display_name, "Ana");
  EXPECT_EQ(edit({"*"}, "text", "Ana")->body, "text");
  EXPECT_EQ(edit({"*"}, "text", "Ana")->author_display_name, "Ana");
  EXPECT_EQ(edit({}, "text", "")->body, "text");
  EXPECT_EQ(edit({}, "text", "")->author_display_name, std::nullopt);
  EXPECT_EQ(edit({}, "", "Ana")->author_display_name, "Ana");

  EXPECT_EQ(edit({"*"}, "", "").status().message(),
            "comment.body is required; comment.author.display_name is required");
  EXPECT_EQ(edit({"body"}, "\u200B", "Ana").status().message(),
            "comment.body has no visible character");
  EXPECT_EQ(edit({}, "", "").status().message(), "update_mask names no field, and none is set");
  for (const char* path : {"author", "author.id", "state", "", "body.x", "*.body"}) {
    EXPECT_EQ(edit({path}, "text", "Ana").status().message(),
              "update_mask has a path that is none of body, author.display_name");
  }
  EXPECT_FALSE(edit({"*", "body"}, "text", "Ana").ok());
}

TEST(Requests, AnEditOfAnArticleIsOfTheFieldsOfItsMask) {
  v1::UpdateArticleRequest request;
  request.mutable_article()->set_name("articles/a");
  request.mutable_article()->set_summary("x");
  request.mutable_article()->add_tags("x");
  request.mutable_article()->mutable_publish_time();
  request.mutable_article()->set_etag("7");
  request.set_validate_only(true);
  const auto edit = Validate(request);
  ASSERT_TRUE(edit.ok()) << edit.status();
  EXPECT_EQ(edit->id, "a");
  EXPECT_EQ(edit->article.etag(), "7");
  EXPECT_TRUE(edit->validate_only);
  EXPECT_THAT(edit->paths, ElementsAre("publish_time", "summary", "tags"));
  request.mutable_update_mask()->add_paths("*");
  EXPECT_EQ(Validate(request)->paths, ChangeableArticleFields());
  request.mutable_update_mask()->set_paths(0, "title");
  EXPECT_THAT(Validate(request)->paths, ElementsAre("title"));
  for (const char* path : {"name", "etag", "sections", "revision", "authors.id", "nothing"}) {
    request.mutable_update_mask()->set_paths(0, path);
    EXPECT_THAT(Problems(request), StartsWith("update_mask has a path that is none of title, "));
  }
}

TEST(Requests, DeletingModeratingAndRenamingSayWhatTheyNeed) {
  v1::DeleteCommentRequest deletion;
  deletion.set_name(CommentName("a", kId));
  deletion.set_etag("7");
  deletion.set_allow_missing(true);
  EXPECT_EQ(Validate(deletion)->comment.comment_id, kId);
  EXPECT_EQ(Validate(deletion)->etag, "7");
  EXPECT_TRUE(Validate(deletion)->allow_missing);
  deletion.set_name("articles/a");
  EXPECT_EQ(Problems(deletion), absl::StrCat("name ", kCommentNameRule));

  v1::ModerateCommentRequest moderation;
  moderation.set_name(CommentName("a", kId));
  moderation.set_etag("7");
  for (const auto state :
       {v1::COMMENT_STATE_VISIBLE, v1::COMMENT_STATE_HIDDEN, v1::COMMENT_STATE_PENDING}) {
    moderation.set_state(state);
    EXPECT_EQ(Validate(moderation)->state, state);
    EXPECT_EQ(Validate(moderation)->etag, "7");
  }
  for (const auto state : {v1::COMMENT_STATE_DELETED, static_cast<v1::CommentState>(77)}) {
    moderation.set_state(state);
    EXPECT_EQ(Problems(moderation), "state is none of VISIBLE, HIDDEN and PENDING");
  }

  v1::RenameArticleRequest renaming;
  renaming.set_name("articles/a");
  renaming.set_new_name("articles/b");
  renaming.set_etag("7");
  EXPECT_EQ(Validate(renaming)->id, "a");
  EXPECT_EQ(Validate(renaming)->new_id, "b");
  EXPECT_EQ(Validate(renaming)->etag, "7");
  renaming.set_new_name("b");
  EXPECT_EQ(Problems(renaming), absl::StrCat("new_name ", kArticleNameRule));

  v1::RetractArticleRequest retraction;
  retraction.set_name("articles/a");
  retraction.set_etag("7");
  EXPECT_EQ(Validate(retraction)->id, "a");
  EXPECT_EQ(Validate(retraction)->etag, "7");

  v1::InspectArticleRequest inspection;
  inspection.set_name("articles/a");
  EXPECT_EQ(*Validate(inspection), "a");
}

TEST(Requests, PublishingReplacesOnlyWhatItNames) {
  v1::PublishArticleRequest request;
  request.mutable_article()->set_title("A Title");
  request.mutable_article()->set_body("Text.");
  EXPECT_EQ(Validate(request)->article.name(), "articles/a-title");
  EXPECT_FALSE(Validate(request)->options.may_replace);
  EXPECT_FALSE(Validate(request)->options.validate_only);
  request.mutable_article()->set_name("articles/a");
  request.set_validate_only(true);
  EXPECT_EQ(Validate(request)->article.name(), "articles/a");
  EXPECT_TRUE(Validate(request)->options.may_replace);
  EXPECT_TRUE(Validate(request)->options.validate_only);
}

// ---- request_id ----

// A valid request of every write, each with this request_id.
struct Writes {
  v1::CreateCommentRequest create = {};
  v1::UpdateCommentRequest update = {};
  v1::DeleteCommentRequest remove = {};
  v1::ModerateCommentRequest moderate = {};
  v1::PublishArticleRequest publish = {};
  v1::UpdateArticleRequest edit = {};
  v1::RenameArticleRequest rename = {};
  v1::RetractArticleRequest retract = {};

  explicit Writes(const std::string& request_id) {
    create.set_parent("articles/a");
    create.mutable_comment()->mutable_author()->set_id("u");
    create.mutable_comment()->mutable_author()->set_display_name("U");
    create.mutable_comment()->set_body("text");
    update.mutable_comment()->set_name(CommentName("a", kId));
    update.mutable_comment()->set_body("text");
    remove.set_name(CommentName("a", kId));
    moderate.set_name(CommentName("a", kId));
    moderate.set_state(v1::COMMENT_STATE_HIDDEN);
    publish.mutable_article()->set_name("articles/a");
    publish.mutable_article()->set_title("text");
    publish.mutable_article()->set_body("text");
    *edit.mutable_article() = publish.article();
    rename.set_name("articles/a");
    rename.set_new_name("articles/b");
    retract.set_name("articles/a");
    ForEach([&request_id](auto& request) { request.set_request_id(request_id); });
  }

  template <class Visit>
  void ForEach(Visit visit) {
    visit(create);
    visit(update);
    visit(remove);
    visit(moderate);
    visit(publish);
    visit(edit);
    visit(rename);
    visit(retract);
  }
};

template <class Validated>
RequestKey KeyOf(const Validated& validated) {
  return validated.request;
}

RequestKey KeyOf(const Publication& publication) { return publication.options.request; }

TEST(Requests, ARequestIdIsAUuidInAnyCase) {
  Writes("0190A8F0-0000-7000-8000-000000000000").ForEach([](const auto& request) {
    EXPECT_EQ(KeyOf(*Validate(request)).id, kId);
  });
  Writes("one").ForEach(
      [](const auto& request) { EXPECT_EQ(Problems(request), "request_id is not a UUID"); });
  Writes("").ForEach([](const auto& request) { EXPECT_EQ(KeyOf(*Validate(request)).id, ""); });
}

TEST(Requests, AFingerprintIsOfEverythingThatIsAskedForAndOfTheRpc) {
  std::set<std::string> fingerprints;
  const auto keep = [&fingerprints](const auto& request) {
    fingerprints.insert(KeyOf(*Validate(request)).fingerprint);
  };
  Writes(kId).ForEach(keep);
  EXPECT_EQ(fingerprints.size(), 8);

  // The id in another form, or a request that only validates, is the same request.
  Writes again("0190A8F0-0000-7000-8000-000000000000");
  again.create.set_validate_only(true);
  again.update.set_validate_only(true);
  again.publish.set_validate_only(true);
  again.edit.set_validate_only(true);
  again.ForEach(keep);
  EXPECT_EQ(fingerprints.size(), 8);

  Writes other(kId);
  other.create.mutable_comment()->mutable_author()->set_display_name("V");
  other.update.mutable_comment()->set_etag("7");
  other.remove.set_allow_missing(true);
  other.moderate.set_state(v1::COMMENT_STATE_VISIBLE);
  other.publish.mutable_article()->set_etag("7");
  other.edit.mutable_update_mask()->add_paths("*");
  other.rename.set_new_name("articles/c");
  other.retract.set_etag("7");
  other.ForEach(keep);
  EXPECT_EQ(fingerprints.size(), 16);
}

}  // namespace
}  // namespace content::api
