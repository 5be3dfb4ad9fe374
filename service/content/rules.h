#pragma once

#include <string>
#include <vector>

#include "content/errors.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"

// What makes an article or a comment acceptable. Limits are those the proto files promise.
namespace content {

/// What is wrong with a name that is not one.
inline constexpr absl::string_view kArticleNameRule =
    "is not articles/{id} with an id of 1 to 63 lower-case letters, digits and inner hyphens";
inline constexpr absl::string_view kCommentNameRule =
    "is not articles/{id}/comments/{uuid} with a UUID in lower case";

inline constexpr int kMaxCommentCharacters = 10'000;
inline constexpr int kMaxThreadDepth = 32;
inline constexpr int kMaxBodyBytes = 1 << 20;

/// No reply is larger than this, so that it passes gRPC's default limit of 4 MiB with room to
/// spare.
inline constexpr int kMaxReplyBytes = 3 << 20;

/// Adds what is wrong with the fields a publisher sets to `violations`, each path below `path`
/// (`article`). The name may be empty.
void CheckArticle(const v1::Article& article, absl::string_view path, Violations& violations);

/// The same for author and body of a new comment; reply_to is checked where the parent is known.
void CheckComment(const v1::Comment& comment, absl::string_view path, Violations& violations);

/// The same for single fields.
void CheckCommentAuthorId(absl::string_view id, absl::string_view field, Violations& violations);
void CheckCommentBody(absl::string_view body, absl::string_view field, Violations& violations);
void CheckDisplayName(absl::string_view name, absl::string_view field, Violations& violations);

/// A BCP 47 tag, or nothing.
void CheckLanguage(absl::string_view tag, absl::string_view field, Violations& violations);

/// A timestamp that protobuf and PostgreSQL can both hold: years 1 to 9999.
void CheckTime(const google::protobuf::Timestamp& time, absl::string_view field,
               Violations& violations);

/// Brings a valid article from a publisher into the form in which it is stored and compared: what
/// is output only is dropped and computed anew, the id derived from the title if there is none.
/// INVALID_ARGUMENT on `path`.name if no id can be derived, on `path`.body if it has more than
/// 1,000 sections.
absl::Status CompleteArticle(absl::string_view path, v1::Article& article);

/// Fields of an article that a publisher can change one by one, by the names that an update mask
/// uses.
const std::vector<std::string>& ChangeableArticleFields();

/// Copies the fields that `paths` name, which are among ChangeableArticleFields, from `changes` to
/// `article`, an article that is stored, and completes it. INVALID_ARGUMENT, each path below
/// `article`, if it would break the rules.
absl::Status MergeArticle(const v1::Article& changes, const std::vector<std::string>& paths,
                          v1::Article& article);

}  // namespace content
