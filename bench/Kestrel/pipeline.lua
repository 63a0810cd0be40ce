-- 16 requests at once.
init = function()
    local requests = {}
    for i = 1, 16 do requests[i] = wrk.format() end
    all = table.concat(requests)
end

request = function() return all end
