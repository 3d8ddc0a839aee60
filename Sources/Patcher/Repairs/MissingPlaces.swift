/// Places of the tree where nothing will be mounted, because the device is not there or cannot be told, and what hangs on them:
/// systemd ties a mount to those above it, and to those that its source lies on (systemd.mount(5)), so that one which is missing
/// takes the others with it, whatever its own row says. Upstart's mountall waits in the same order.
struct MissingPlaces {
    /// Mount points without a slash at their end.
    private var places: [String] = []

    init(_ draft: PlanDraft) {
        guard draft.guest.startsWithSystemd || draft.guest.startsWithMountall else { return }
        for unit in draft.guest.files(SystemdMount.self) {
            guard let place = unit.syntax.mountPoint, let device = unit.syntax.device,
                let reference = draft.guest.reference(in: unit.file, at: device.range.lowerBound),
                reference.unresolved?.absence(of: reference) != nil
            else { continue }
            places.append(place)
        }
        let rows = draft.guest.files(Fstab.self).flatMap { file in
            file.syntax.rows.filter { $0.mountPoint.hasPrefix("/") && $0.mountPoint != "/" && !$0.isSwap }
                .map { (file.file, $0) }
        }
        for (file, row) in rows where DeadRows.absence(file, row, draft) != nil {
            places.append(row.mountPoint)
        }
        guard !places.isEmpty else { return }
        // What hangs on something that hangs on another comes with a further look.
        var rest = rows.map(\.1).filter { !$0.isNoauto && !places.contains($0.mountPoint) }
        while true {
            let found = rest.filter { place(below: $0) != nil }.map(\.mountPoint)
            if found.isEmpty { return }
            places += found
            rest.removeAll { found.contains($0.mountPoint) }
        }
    }

    /// The missing place that a row of the fstab hangs on; nil where there is none.
    func place(below row: Fstab.Row) -> String? {
        places.isEmpty ? nil : place(below: row.mountPoint, sources: row.sources)
    }

    /// The same of a mount unit.
    func place(belowMountPoint point: String) -> String? { place(below: point, sources: []) }

    private func place(below point: String, sources: [String]) -> String? {
        places.first { place in
            point.hasPrefix(place + "/") || sources.contains { $0 == place || $0.hasPrefix(place + "/") }
        }
    }
}

extension Fstab.Row {
    /// Directories and files of the tree that its mount needs: what is shown, mounted or swapped to, the layers of an overlay, and what
    /// its options ask for.
    fileprivate var sources: [String] {
        var found: [String] = []
        if spec.hasPrefix("/"), !spec.hasPrefix("//"), !spec.hasPrefix("/dev/"), !isShare {
            found.append(spec)
        }
        for option in options {
            guard let equals = option.firstIndex(of: "=") else { continue }
            let value = String(option[option.index(after: equals)...])
            switch option[..<equals] {
            case "lowerdir", "upperdir", "workdir": found += value.split(separator: ":").map(String.init)
            case "x-systemd.requires-mounts-for": found.append(value)
            case "x-systemd.requires":
                found.append(SystemdUnitName.mountPoint(ofUnit: value) ?? value)
            default: break
            }
        }
        return found.filter { $0.hasPrefix("/") }
    }
}
