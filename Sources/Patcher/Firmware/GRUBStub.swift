/// What is known while a text is read.
struct GRUBStub {
    /// Variables that hold a device: `root`, and what a search is told to set.
    var devices: [String: Int?]
    /// What a search did not find, by the variable that it should have set.
    var missing: [String: String] = [:]
    private var wasFound: Set<String> = []
    let path: String
    let start: Int?
    var prefix: GRUBTrailFinder.Place?
    var result: GRUBTrailFinder.Place?
    var isCertain = true

    init(start: Int?, path: String) {
        devices = ["root": start]
        self.start = start
        self.path = path
    }

    /// A device that is named outright.
    mutating func set(_ name: String, to place: GRUBTrailFinder.Place) {
        devices[name] = .some(place.volume)
        missing[name] = place.missingVolume
    }

    /// What a search does. `wanted` is what it looks for, where that can be told.
    mutating func set(_ name: String, _ found: Int?, _ wanted: String?) {
        // A search that finds nothing leaves the variable as it was.
        if found == nil, wanted != nil, wasFound.contains(name) { return }
        devices[name] = .some(found)
        missing[name] = found == nil ? wanted : nil
        if found != nil { wasFound.insert(name) }
    }
}
