#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/call.h"
#include "content/errors.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"

// Rules for articles and comments. The limits are documented in the proto files. They apply to text
// in its normal form (normalize.h).
namespace content {

/// Describe, after the path of its field, a malformed name.
inline constexpr absl::string_view kArticleNameRule =
    "is not articles/{id} with an id of 1 to 63 lower-case letters, digits and inner hyphens";
inline constexpr absl::string_view kCommentNameRule =
    "is not articles/{id}/comments/{uuid} with a UUID in lower case";

/// Maximum length of a comment, in Unicode code points.
inline constexpr int kMaxCommentCharacters = 10'000;

/// Maximum length of a display name, in Unicode code points.
inline constexpr int kMaxNameCharacters = 100;

/// Maximum number of tags of an article.
inline constexpr int kMaxTags = 50;

/// Maximum depth of a reply. A comment at the top level has depth 0.
inline constexpr int kMaxThreadDepth = 32;

/// Maximum size of an article's body.
inline constexpr int kMaxBodyBytes = 1 << 20;

/// Maximum number of former names of an article. WatchArticles and InspectArticle send all of them,
/// at most 75 KB.
inline constexpr size_t kMaxFormerNames = 1'000;

/// Maximum size of a reply, well below gRPC's default limit of 4 MiB.
inline constexpr int kMaxReplyBytes = 3 << 20;

/// Checks the fields that a publisher sets and adds every violation of the rules to `violations`.
/// `path` is the path of the article in the request, such as `article`. The name may be empty.
void CheckArticle(const v1::Article& article, absl::string_view path, Violations& violations);

/// Checks author and body of a new comment in the same way. reply_to is checked where the parent is
/// read.
void CheckComment(const v1::Comment& comment, absl::string_view path, Violations& violations);

/// Maximum number of comments in one import.
inline constexpr int kMaxImportedComments = 1'000;

/// Checks the name of the system that comments are imported from, in the same way. It may be empty.
void CheckImportSource(absl::string_view source, absl::string_view field, Violations& violations);

/// Checks a comment from another system in the same way; paths begin with the comment's fields.
/// `now` is the time of the database.
void CheckImportedComment(const v1::ImportedComment& comment, absl::Time now,
                          Violations& violations);

/// Maximum length of the reason for a block, in Unicode code points.
inline constexpr int kMaxReasonCharacters = 500;

/// Check single fields in the same way.
void CheckCommentAuthorId(absl::string_view id, absl::string_view field, Violations& violations);
void CheckCommentBody(absl::string_view body, absl::string_view field, Violations& violations);
void CheckDisplayName(absl::string_view name, absl::string_view field, Violations& violations);
void CheckReason(absl::string_view reason, absl::string_view field, Violations& violations);

/// Refuses control characters and long runs of combining marks (text.h), as all texts are refused.
void CheckCharacters(absl::string_view text, bool one_line, absl::string_view field,
                     Violations& violations);

/// Accepts a name of any length to look for, such as a tag, or an empty string. It may break rules
/// for new names, because stored ones may be older than the rules.
void CheckNameFilter(absl::string_view name, absl::string_view field, Violations& violations);

/// Accepts the id of a comment's author, or the subject of a caller's token, to look for in the
/// same way. It has 1 to 255 characters, as subjects have; the id of a new author is shorter.
void CheckAuthorIdToFind(absl::string_view id, absl::string_view field, Violations& violations);

/// Returns AUTHOR_NOT_CALLER if the caller may write only as a person other than the author, and
/// CREDENTIALS_MISSING if its token does not say as whom, because it has none. Nobody (nullptr) may
/// write as anybody: it is for authorization to refuse calls without an identity.
absl::Status CheckAuthorIsCaller(const Caller* caller, absl::string_view author_id);

/// Accepts a BCP 47 tag or an empty string.
void CheckLanguage(absl::string_view tag, absl::string_view field, Violations& violations);

/// Accepts the timestamps that protobuf and PostgreSQL can both hold: years 1 to 9999.
void CheckTime(const google::protobuf::Timestamp& time, absl::string_view field,
               Violations& violations);

/// Derives the name of an article from its title if it has none. INVALID_ARGUMENT on `path`.name if
/// that is not possible.
absl::Status CompleteName(absl::string_view path, v1::Article& article);

/// Brings a valid article from a publisher into the form in which it is stored and compared: drops
/// or recomputes output-only fields, and completes the name. Fails like CompleteName, and with
/// INVALID_ARGUMENT on `path`.body if that has more than 1,000 sections.
absl::Status CompleteArticle(absl::string_view path, v1::Article& article);

/// Paths of the fields that an update mask may name.
const std::vector<std::string>& ChangeableArticleFields();

/// Copies the fields named by `paths`, which must be among ChangeableArticleFields(), from
/// `changes` to the stored article `article`, and completes it. INVALID_ARGUMENT if the result
/// breaks the rules, with paths that start with `article`.
absl::Status MergeArticle(const v1::Article& changes, const std::vector<std::string>& paths,
                          v1::Article& article);

}  // namespace content
