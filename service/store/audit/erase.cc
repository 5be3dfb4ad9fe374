#include "store/audit/erase.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "postgres/result.h"
#include "store/columns.h"

namespace content::store {
namespace {

// Maximum number of events changed by one transaction.
constexpr int kMaxErasedEvents = 500;

// $1 author, $2 the author's identity, $3 limit. The second conditions are those of the indexes.
constexpr char kSelectEventsOfAuthor[] = R"sql(
SELECT event_id FROM audit_event WHERE author_id = $1 AND author_id <> ''
UNION ALL
SELECT event_id FROM audit_event WHERE person_id = $1 AND person_id <> ''
UNION ALL
SELECT event_id FROM audit_event WHERE caller = $2 AND caller <> ''
LIMIT $3::integer
)sql";

// $1 author, $2 the author's identity, $3 events (array).
constexpr char kEraseFromEvents[] = R"sql(
UPDATE audit_event
SET author_id = CASE author_id WHEN $1 THEN '' ELSE author_id END,
    person_id = CASE person_id WHEN $1 THEN '' ELSE person_id END,
    caller = CASE caller WHEN $2 THEN '' ELSE caller END,
    erased = true
WHERE event_id = ANY ($3::uuid[])
)sql";

}  // namespace

std::string IdentityOfAuthor(const std::string& author_id) {
  return absl::StrCat("jwt:", author_id);
}

bool EraseFromAuditTrail(postgres::Transaction& transaction, const std::string& author_id) {
  const std::string identity = IdentityOfAuthor(author_id);
  std::vector<std::string> events;
  for (const auto& row :
       transaction.Exec(kSelectEventsOfAuthor, author_id, identity, kMaxErasedEvents)) {
    events.push_back(row["event_id"].c_str());
  }
  if (events.empty()) return false;
  transaction.Exec(kEraseFromEvents, author_id, identity, ArrayParameter(events));
  return true;
}

}  // namespace content::store
