-- One question about one code (ehc.model.Question), answered in one step. All keys have one hash tag: one slot of a cluster.
-- KEYS: 1 status of the card   2 "this code was issued"   3 claim of the code   4 "the card is being changed"
-- ARGV: 1 must be issued (1/0)   2 now   3 has a code (1/0)   4 issued at   5 seconds to keep a claim   6 uses   7 holder
--       8 the card's status as the caller has just read it from the store, or ""   9 seconds to keep it, 0: not at all
--       10 the holder's name   11 the turn of the asker: a status of another turn is read again
-- A claim is "holder uses at name".
-- Answer: {issued, status or "", claim}; {1, ""} when the status is to be read and the question asked again.
if ARGV[1] == "1" and redis.call("EXISTS", KEYS[2]) == 0 then return {0, "", 0} end
local status = ARGV[8]
if status ~= "" and ARGV[9] ~= "0" and redis.call("EXISTS", KEYS[4]) == 0 then
  redis.call("SET", KEYS[1], status, "EX", ARGV[9])
end
local text = status ~= "" and status or redis.call("GET", KEYS[1]) or ""
local state, deadline, codes_from, turn = string.match(text, "^(%d+) (%d+) (%d+) (%d+) ")
if status == "" and turn ~= ARGV[11] then return {1, "", 0} end
local usable = state == "1" and (deadline == "0" or tonumber(ARGV[2]) <= tonumber(deadline))
if ARGV[3] == "0" or not usable then return {1, text, 0} end
if tonumber(ARGV[4]) < tonumber(codes_from) then return {1, text, 4} end
local when = " " .. ARGV[2] .. " " .. ARGV[10]
if ARGV[6] ~= "0" and redis.call("SET", KEYS[3], ARGV[7] .. " 1" .. when, "NX", "EX", ARGV[5]) then return {1, text, 1} end
local claim = redis.call("GET", KEYS[3])
local holder, used = string.match(claim or " 0", "^(%S*) (%d+)")
if holder == "revoked" then return {1, text, 4} end
if ARGV[6] == "0" then return {1, text, 0} end
if holder ~= "0" and holder == ARGV[7] then return {1, text, 2} end
if tonumber(used) >= tonumber(ARGV[6]) then return {1, text, 3} end
redis.call("SET", KEYS[3], ARGV[7] .. " " .. (used + 1) .. when, "EX", ARGV[5])
return {1, text, 1}
