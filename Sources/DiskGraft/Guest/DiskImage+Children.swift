internal import HostIO
internal import ImageFormats
internal import Storage

extension DiskImage {
    /// Files of a directory that are looked into.
    private static let siblingLimit = 128

    /// What to know before the image at `path` is changed: a file beside it stands on it. Nil where none of those that are
    /// looked into says so.
    static func childWarning(_ path: String) -> String? {
        let place = HostDirectory.resolved(path) ?? path
        let directory = HostPath.directory(of: place)
        guard let own = try? HostFile.open(place, locking: .ignore), !own.isBlockDevice else { return nil }
        var left = siblingLimit
        for name in HostDirectory.names(in: directory) where left > 0 {
            guard HostDirectory.isRegularFile("\(directory)/\(name)"),
                let other = try? HostFile.openSibling(of: place, name: name, locking: .ignore)
            else { continue }
            left -= 1
            if ImageProbe.isChild(other, of: own) {
                return
                    "\(name.hostBytes.shellText) beside it is a child of this disk: after a change here it shows a mix of "
                    + "old and new bytes, or does not open any more"
            }
        }
        return nil
    }
}
