import Storage
import TestSupport
import Testing

struct BoundedCacheTests {
    @Test func whatWasNotAskedForTheLongestGoesFirst() {
        var cache = BoundedCache<Int, String>(budget: 3)
        for key in 1...3 { cache.keep("\(key)", for: key, cost: 1) }
        #expect(cache.value(for: 1) == "1")
        cache.keep("4", for: 4, cost: 1)
        #expect(cache.value(for: 2) == nil)
        #expect(cache.value(for: 1) == "1")
        cache.keep("5", for: 5, cost: 2)
        #expect(cache.value(for: 3) == nil)
        #expect(cache.value(for: 4) == nil)
        #expect(cache.value(for: 1) == "1")
        #expect(cache.cost == 3)
    }

    @Test func aValueLargerThanTheBudgetStandsAlone() {
        var cache = BoundedCache<Int, Int>(budget: 10)
        cache.keep(1, for: 1, cost: 4)
        cache.keep(2, for: 2, cost: 100)
        #expect(cache.count == 1)
        #expect(cache.value(for: 2) == 2)
        cache.keep(3, for: 3, cost: 4)
        #expect(cache.value(for: 2) == nil)
        #expect(cache.cost == 4)
    }

    /// Against a list that does the same slowly.
    @Test func anySeriesDoesWhatAPlainListDoes() {
        var random = SeededRandom(21)
        var cache = BoundedCache<UInt8, UInt64>(budget: 40)
        // The one used last at the end.
        var model: [(key: UInt8, value: UInt64, cost: Int)] = []
        for _ in 0..<20_000 {
            let key = UInt8.random(in: 0...30, using: &random)
            let known = model.firstIndex { $0.key == key }
            switch Int.random(in: 0...9, using: &random) {
            case 0...4:
                #expect(cache.value(for: key) == known.map { model[$0].value })
                if let known { model.append(model.remove(at: known)) }
            case 5...7:
                let (value, cost) = (random.next(), Int.random(in: 1...9, using: &random))
                if let known { model.remove(at: known) }
                while model.reduce(cost, { $0 + $1.cost }) > 40, !model.isEmpty { model.removeFirst() }
                model.append((key, value, cost))
                cache.keep(value, for: key, cost: cost)
            case 8:
                let removed = cache.remove(key)
                #expect(removed == known.map { model.remove(at: $0).value })
            default:
                cache.change(key) { $0 &+= 1 }
                if let known { model[known].value &+= 1 }
                let limit = UInt64.random(in: 0...UInt64.max / 8, using: &random)
                cache.removeAll { _, value in value < limit }
                model.removeAll { $0.value < limit }
            }
            #expect(cache.count == model.count)
            #expect(cache.cost == model.reduce(0) { $0 + $1.cost })
        }
        cache.removeAll()
        #expect(cache.count == 0)
        #expect(cache.cost == 0)
    }
}

struct SortedSearchTests {
    @Test func findsTheFirstThatIsBehind() {
        for count in 0...17 {
            let numbers = (0..<count).map { $0 * 2 }
            for wanted in -1...count * 2 + 1 {
                let expected = numbers.firstIndex { $0 >= wanted } ?? numbers.endIndex
                #expect(numbers.firstIndex(sortedBy: { $0 >= wanted }) == expected)
                // A slice keeps its indices.
                let slice = numbers.dropFirst(min(3, count))
                let inSlice = slice.firstIndex { $0 >= wanted } ?? slice.endIndex
                #expect(slice.firstIndex(sortedBy: { $0 >= wanted }) == inSlice)
            }
        }
    }
}
