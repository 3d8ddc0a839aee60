public import Storage

extension GuestFiles {
    /// What a walk meets.
    public enum Visit: Sendable {
        /// A file; for a directory before what is in it.
        case file(GuestFile)
        /// Something that could not be read; the walk goes on behind it.
        case unreadable(path: GuestPath, StorageError)
    }

    /// No path in a walk is deeper, so that memory has an end.
    private static let depthLimit = 16384

    /// Visits `top` and everything below it in the order of names, over the guest's mounts. Symbolic links are not
    /// followed. `body` returns false to end the walk.
    public func walk(
        _ top: GuestFile, _ body: (Visit) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard try body(.file(top)), top.attributes.type == .directory else { return }
        // The directory's path and a slash: one for all levels, because each deeper one begins with it.
        var path = top.path.appending([]).bytes
        var held = 0
        // A stack of what is still to come, deepest last: recursion would trust the image's depth.
        var pending: [Level] = []
        do throws(StorageError) {
            pending.append(try level(of: top, pathLength: path.count, mount: 0, &held))
        } catch {
            guard !error.isCancellation else { throw error }
            _ = try body(.unreadable(path: top.path, error))
            return
        }
        // A directory has one name: with two at each level, the walk of a small image would never end. A volume may
        // be mounted in two places all the same.
        var seen: Set<FileIdentity> = [FileIdentity(key: top.key, mount: 0)]
        var mountCount = 0
        while var level = pending.popLast() {
            try Cancellation.check()
            path.removeLast(path.count - level.pathLength)
            guard let next = level.left.popLast() else {
                continue
            }
            held -= 1
            pending.append(level)
            path += next.name
            do throws(StorageError) {
                let file = try self.file(next.file, on: level.volume, at: GuestPath(path))
                guard try body(.file(file)) else { return }
                guard file.attributes.type == .directory else { continue }
                var mount = level.mount
                if file.volume != level.volume || file.id != next.file {
                    mountCount += 1
                    mount = mountCount
                }
                guard seen.insert(FileIdentity(key: file.key, mount: mount)).inserted else {
                    throw StorageError(
                        .corrupt, GuestCode.directoryLoop,
                        "\(path.shellText) contains itself or has a second name; run "
                            + guest.repairTool(ofVolume: file.volume))
                }
                guard pending.count <= Self.depthLimit else {
                    throw StorageError(
                        .refused, GuestCode.tooDeep,
                        "\(path.shellText.prefix(200))… lies deeper than \(Self.depthLimit) levels")
                }
                pending.append(try self.level(of: file, pathLength: path.count + 1, mount: mount, &held))
                path.append(GuestPath.slash)
            } catch {
                guard !error.isCancellation else { throw error }
                guard try body(.unreadable(path: GuestPath(path), error)) else { return }
            }
        }
    }

    private struct FileIdentity: Hashable {
        let key: FileKey
        let mount: Int
    }

    /// A directory that is being walked.
    private struct Level {
        /// Of its path and a slash.
        let pathLength: Int
        let volume: Int
        /// Which of the mounts that the walk has crossed it is below; a volume may be mounted twice.
        let mount: Int
        /// The last by name first, so that they pop in order.
        var left: [DirectoryEntry]
    }

    /// `held` counts the names of all levels: with many at each, a deep tree would take any memory.
    private func level(
        of directory: GuestFile, pathLength: Int, mount: Int, _ held: inout Int
    ) throws(StorageError) -> Level {
        let left: [DirectoryEntry]
        do throws(StorageError) {
            left = Array(try entries(of: directory).reversed())
        } catch {
            guard !error.isCancellation else { throw error }
            var named = error
            named.message += "; what is in \(directory.path.shellText) is left out"
            throw named
        }
        guard left.count <= DirectoryEntry.listLimit - held else {
            throw .tooManyNames("guest", in: directory.id, limit: DirectoryEntry.listLimit - held)
        }
        held += left.count
        return Level(pathLength: pathLength, volume: directory.volume, mount: mount, left: left)
    }

    private func file(_ id: FileID, on volume: Int, at path: GuestPath) throws(StorageError) -> GuestFile {
        if let mounted = mountPoints[path], mounted != volume {
            let fileSystem = try guest.fileSystem(on: mounted)
            let root = fileSystem.rootDirectory
            return GuestFile(
                path: path, volume: mounted, id: root, attributes: try fileSystem.attributes(of: root))
        }
        let fileSystem = try guest.fileSystem(on: volume)
        return GuestFile(path: path, volume: volume, id: id, attributes: try fileSystem.attributes(of: id))
    }
}
