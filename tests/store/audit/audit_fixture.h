#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "content/audit.h"
#include "store/store_fixture.h"

namespace content::store {

/// A store, short ways to act on it as some caller, and the audit trail as text.
class AuditTest : public StoreTest {
 protected:
  static CallContext By(const std::string& identity, const std::string& person = "") {
    return {.caller = std::make_shared<Caller>(Caller{.identity = identity, .person = person})};
  }

  /// The reason of the error; empty if there is none. The same below.
  std::string PublishBy(const std::string& caller, v1::Article article,
                        PublishOptions options = {}) {
    return ReasonOf(Await<PublishedArticle>([&](auto done) {
                      store_->PublishArticle(By(caller), std::move(article), std::move(options),
                                             std::move(done));
                    }).status());
  }

  std::string EditBy(const std::string& caller, ArticleEdit edit) {
    return ReasonOf(Await<v1::Article>([&](auto done) {
                      store_->UpdateArticle(By(caller), std::move(edit), std::move(done));
                    }).status());
  }

  std::string RenameBy(const std::string& caller, ArticleRename renaming) {
    return ReasonOf(Await<v1::Article>([&](auto done) {
                      store_->RenameArticle(By(caller), std::move(renaming), std::move(done));
                    }).status());
  }

  std::string RetractBy(const std::string& caller, ArticleRetraction retraction) {
    return ReasonOf(Await<int64_t>([&](auto done) {
                      store_->RetractArticle(By(caller), std::move(retraction), std::move(done));
                    }).status());
  }

  std::string ModerateBy(const std::string& caller, CommentModeration moderation) {
    return ReasonOf(Await<v1::Comment>([&](auto done) {
                      store_->ModerateComment(By(caller), std::move(moderation), std::move(done));
                    }).status());
  }

  std::string EraseCommentBy(const std::string& caller, CommentDeletion deletion) {
    deletion.by_moderator = true;
    return ReasonOf(Await<int64_t>([&](auto done) {
                      store_->DeleteComment(By(caller), std::move(deletion), std::move(done));
                    }).status());
  }

  std::string BlockBy(CallContext caller, const std::string& author, const std::string& reason) {
    return ReasonOf(Await<v1::BlockedAuthor>([&](auto done) {
                      store_->BlockAuthor(std::move(caller), author, reason, std::move(done));
                    }).status());
  }

  std::string UnblockBy(const std::string& caller, const std::string& author,
                        bool allow_missing = false) {
    return ReasonOf(Await<void>([&](auto done) {
      store_->UnblockAuthor(By(caller), author, allow_missing, std::move(done));
    }));
  }

  std::string VerifyBy(const std::string& caller, VerifyQuery query) {
    return ReasonOf(Await<VerifiedCounters>([&](auto done) {
                      store_->VerifyCounters(By(caller), std::move(query), std::move(done));
                    }).status());
  }

  /// Erases everything, as one call of EraseAuthor does.
  void EraseAllBy(const CallContext& caller, const std::string& author) {
    Erasure erasure{author};
    bool complete = false;
    while (!complete) {
      const auto erased = Await<ErasedComments>(
          [&](auto done) { store_->EraseAuthor(caller, erasure, std::move(done)); });
      ASSERT_TRUE(erased.ok()) << erased.status();
      erasure.event_id = erased->event_id;
      complete = erased->complete;
    }
  }

  absl::StatusOr<Page<v1::AuditEvent>> List(AuditQuery query) {
    return Await<Page<v1::AuditEvent>>(
        [&](auto done) { store_->ListAuditEvents({}, std::move(query), std::move(done)); });
  }

  /// All events that match, newest first, over all pages.
  std::vector<v1::AuditEvent> Events(AuditQuery query = {}) {
    std::vector<v1::AuditEvent> events;
    if (query.page_size == 0) query.page_size = 200;
    do {
      auto page = List(query);
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return events;
      }
      EXPECT_LE(page->items.size(), static_cast<size_t>(query.page_size));
      for (v1::AuditEvent& event : page->items) events.push_back(std::move(event));
      query.after_key = page->next_key;
    } while (!query.after_key.empty());
    return events;
  }

  /// What an event says, without its time and id: the action, and every other field that is set.
  static std::string Text(const v1::AuditEvent& event) {
    const auto without = [](const std::string& name, absl::string_view prefix) {
      return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
    };
    std::vector<std::string> words = {
        without(v1::AuditAction_Name(event.action()), "AUDIT_ACTION_")};
    const auto add = [&words](absl::string_view label, const std::string& value) {
      if (!value.empty() && value != "0") words.push_back(absl::StrCat(label, value));
    };
    add("", std::string(absl::StripPrefix(event.article(), "articles/")));
    add("was ", std::string(absl::StripPrefix(event.previous_name(), "articles/")));
    if (!event.comment().empty()) words.emplace_back("comment");
    add("author ", event.author_id());
    add("r", absl::StrCat(event.revision()) == "0" ? "" : absl::StrCat(event.revision()));
    if (event.outcome() != v1::PUBLISH_OUTCOME_UNSPECIFIED) {
      words.push_back(without(v1::PublishOutcome_Name(event.outcome()), "PUBLISH_OUTCOME_"));
    }
    if (event.state() != v1::COMMENT_STATE_UNSPECIFIED) {
      words.push_back(without(v1::CommentState_Name(event.state()), "COMMENT_STATE_"));
    }
    add("count ", absl::StrCat(event.item_count()));
    add("by ", event.caller());
    add("for ", event.person_id());
    if (event.erased()) words.emplace_back("erased");
    return absl::StrJoin(words, ", ");
  }

  std::vector<std::string> Texts(const AuditQuery& query = {}) {
    std::vector<std::string> texts;
    for (const v1::AuditEvent& event : Events(query)) texts.push_back(Text(event));
    return texts;
  }

  /// The text of the newest event, and whether it is the only one since `Texts` had `before`.
  std::string Newest(size_t before) {
    const std::vector<std::string> texts = Texts();
    EXPECT_EQ(texts.size(), before + 1);
    return texts.empty() ? "" : texts.front();
  }

  /// Adds events of publishings at this time to the table, with these values of columns.
  void Insert(int count, absl::Time time, const std::string& caller = "",
              const std::string& person = "", const std::string& author = "") {
    TimedUuids ids(time);
    for (int i = 0; i < count; ++i) {
      Sql(absl::StrCat("INSERT INTO audit_event VALUES ('", ids.Next(),
                       "', 0, 0, 0, 1, 0, 0, false, NULL, '", caller, "', '", person, "', '",
                       author, "', '', '')"));
    }
  }
};

}  // namespace content::store
