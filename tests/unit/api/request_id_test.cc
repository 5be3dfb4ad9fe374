// The request_id of every write.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/comments.h"
#include "api/publishing.h"
#include "content/names.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

constexpr char kRequestId[] = "0190a8f0-0000-7000-8000-000000000000";
constexpr char kUpperCaseId[] = "0190A8F0-0000-7000-8000-000000000000";

auto Check(const v1::CreateCommentRequest& request) { return CheckCreateComment(request); }
auto Check(const v1::UpdateCommentRequest& request) { return CheckUpdateComment(request); }
auto Check(const v1::DeleteCommentRequest& request) { return CheckDeleteComment(request); }
auto Check(const v1::EraseCommentRequest& request) { return CheckEraseComment(request); }
auto Check(const v1::ModerateCommentRequest& request) { return CheckModerateComment(request); }
auto Check(const v1::PublishArticleRequest& request) { return CheckPublishArticle(request); }
auto Check(const v1::UpdateArticleRequest& request) { return CheckUpdateArticle(request); }
auto Check(const v1::RenameArticleRequest& request) { return CheckRenameArticle(request); }
auto Check(const v1::RetractArticleRequest& request) { return CheckRetractArticle(request); }

template <class Checked>
RequestKey KeyOf(const Checked& checked) {
  return checked.request;
}
RequestKey KeyOf(const Publication& publication) { return publication.options.request; }

// A valid request of every write, each with this request_id.
struct Writes {
  v1::CreateCommentRequest create = {};
  v1::UpdateCommentRequest update = {};
  v1::DeleteCommentRequest remove = {};
  v1::EraseCommentRequest erase = {};
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
    update.mutable_comment()->set_name(CommentName("a", kRequestId));
    update.mutable_comment()->set_body("text");
    remove.set_name(CommentName("a", kRequestId));
    erase.set_name(CommentName("a", kRequestId));
    moderate.set_name(CommentName("a", kRequestId));
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
    visit(erase);
    visit(moderate);
    visit(publish);
    visit(edit);
    visit(rename);
    visit(retract);
  }
};

TEST(RequestId, IsAUuidInAnyCase) {
  Writes(kUpperCaseId).ForEach([](const auto& request) {
    EXPECT_EQ(KeyOf(*Check(request)).id, kRequestId);
  });
  Writes("one").ForEach(
      [](const auto& request) { EXPECT_EQ(Problems(Check(request)), "request_id is not a UUID"); });
  Writes("").ForEach([](const auto& request) { EXPECT_EQ(KeyOf(*Check(request)).id, ""); });
}

TEST(RequestId, IsNotTheNilUuid) {
  Writes("00000000-0000-0000-0000-000000000000").ForEach([](const auto& request) {
    EXPECT_EQ(Problems(Check(request)), "request_id is the nil UUID");
  });
}

TEST(RequestId, ComesWithAFingerprintOfTheRpcAndAllOtherFields) {
  std::set<std::string> fingerprints;
  const auto keep = [&fingerprints](const auto& request) {
    fingerprints.insert(KeyOf(*Check(request)).fingerprint);
  };
  Writes(kRequestId).ForEach(keep);
  EXPECT_EQ(fingerprints.size(), 9);

  // The id in another form, or a request that only validates, is the same request.
  Writes again(kUpperCaseId);
  again.create.set_validate_only(true);
  again.update.set_validate_only(true);
  again.publish.set_validate_only(true);
  again.edit.set_validate_only(true);
  again.ForEach(keep);
  EXPECT_EQ(fingerprints.size(), 9);

  Writes other(kRequestId);
  other.create.mutable_comment()->mutable_author()->set_display_name("V");
  other.update.mutable_comment()->set_etag("7");
  other.remove.set_allow_missing(true);
  other.erase.set_allow_missing(true);
  other.moderate.set_state(v1::COMMENT_STATE_VISIBLE);
  other.publish.mutable_article()->set_etag("7");
  other.edit.mutable_update_mask()->add_paths("*");
  other.rename.set_new_name("articles/c");
  other.retract.set_etag("7");
  other.ForEach(keep);
  EXPECT_EQ(fingerprints.size(), 18);
}

}  // namespace
}  // namespace content::api
