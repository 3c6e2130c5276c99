import Fetch
import Foundation
import HummingbirdCore
import Images
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Translate
import UnixSignals

/// A bridge with everything wired together.
struct Bridge: Sendable {
    let settings: Settings
    let file: CatalogFile
    let log: Logger

    init(settings: Settings) throws {
        self.settings = settings
        file = try CatalogFile.read(named: settings.modelsPath, environment: settings.environment)
        var log = Logger(label: "ollama-bridge", factory: { StreamLogHandler.standardError(label: $0) })
        log.logLevel = settings.logLevel
        self.log = log
    }

    /// Serves until SIGTERM or SIGINT and then until the running answers are finished or the drain time is over; a second signal ends
    /// them at once. SIGHUP reads models.json, the client keys and the certificate again.
    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let running = try await start()
        Banner.print(settings: settings, port: running.port, file: file, catalog: running.parts.catalog.current)
        let (stops, stop) = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var isStopping = false
                for await signal in signals {
                    if signal == .sighup {
                        await running.reload()
                    } else if isStopping {
                        running.hurry()
                    } else {
                        isStopping = true
                        stop.finish()
                    }
                }
            }
            for await _ in stops {}
            log.notice("Stopping; running answers may finish", metadata: ["seconds": "\(settings.drain.components.seconds)"])
            await running.stop(drain: settings.drain)
            group.cancelAll()
        }
    }

    /// Listens, and returns once clients can connect.
    ///
    /// - Throws: ``StartupError``.
    func start() async throws -> RunningBridge {
        for warning in file.catalog.warnings + (settings.keysFile?.warnings ?? []) { log.notice("\(warning)") }
        if settings.limits.bodyBytes < ListenerLimits().bodyBytes {
            log.notice(
                "There is little memory; large requests are refused",
                metadata: ["memory_bytes": "\(MemoryAllowance.bytes)", "body_bytes": "\(settings.limits.bodyBytes)"])
        }
        let audit = try settings.auditPath.map { try AuditLog(path: $0, limit: settings.auditBytes, log: log) }
        let imageFetching = try imageFetching(file.catalog.images)
        let tls = try settings.tls.map { try TLSIdentity($0, log: log) }
        let capacity = Capacity(settings.limits)
        let catalog = CatalogStore(file.catalog, modifiedAt: file.modifiedAt, isFromFile: file.path != nil)
        let demo = try await DemoServer.start(log: log)
        catalog.update { $0.setBaseURL("http://127.0.0.1:\(demo.port)/v1", ofProvider: "demo") }
        let workers = PictureWorkers()
        let fetcher = Fetcher(FetcherConfiguration(userAgent: "OllamaBridge/\(Version.bridge)"))
        let imageFetcher = ImageFetcher(configuration: imageFetching)
        let discovery = ModelDiscovery(catalog: catalog, fetcher: fetcher, log: log)
        let reloadCatalog = CatalogReload(named: settings.modelsPath, environment: settings.environment, store: catalog, log: log) {
            await discovery.refreshNow()
        }
        let health = ProviderHealth()
        let cache = PictureCache(limit: min(file.catalog.images.cacheBytes, MemoryAllowance.bytes / 8))
        let relay = relay(
            catalog: catalog, health: health, workers: workers, fetcher: fetcher, imageFetcher: imageFetcher, cache: cache)
        var routes = routes(relay, discovery: discovery, workers: workers)
        HealthEndpoints(capacity: capacity).register(in: &routes)
        let metrics = BridgeMetrics()
        let connections = Connections(limit: settings.limits.connections)
        let sources = BridgeMetrics.Sources(
            capacity: capacity, fetcher: fetcher, cache: cache, workers: workers, health: health, connections: connections)
        StatusEndpoints(metrics: metrics, sources: sources, catalog: catalog).register(in: &routes)
        let budgets = Budgets(settings.keysFile?.budgets ?? [:], path: settings.budgetPath, log: log)
        let keys = ClientKeyring(settings.clientKeys, path: settings.keysPath, file: settings.keysFile, budgets: budgets, log: log)
        let observer = RequestObserver(metrics: metrics, audit: audit, keepsText: settings.auditHoldsText, budgets: budgets)
        let listeners: [Listener]
        do {
            listeners = try await listen(routes, capacity, connections, observer, keys, tls, relay)
        } catch {
            await demo.stop()
            await fetcher.shutdown()
            await imageFetcher.shutdown()
            try? await workers.stop()
            throw error
        }
        var files = [FileWatch.File(path: settings.modelsPath ?? CatalogFile.standardPath) { await reloadCatalog() }]
        if let path = settings.keysPath { files.append(FileWatch.File(path: path) { keys.reload() }) }
        // Certificate and key are replaced one after the other; by the time the certificate has come to rest, its key is there as well.
        if let tls, let path = settings.tls?.certificate { files.append(FileWatch.File(path: path) { tls.reload() }) }
        let parts = RunningBridge.Parts(
            listeners: listeners, connections: connections, capacity: capacity, catalog: catalog,
            files: FileWatch(files), budgets: budgets, audit: audit, demo: demo, fetcher: fetcher, imageFetcher: imageFetcher,
            workers: workers)
        let background: [Task<Void, Never>] = [
            Task { _ = try? await discovery.run() },
            Task { await parts.files.run() },
            Task { await budgets.run() },
        ]
        return RunningBridge(parts, background: background, log: log)
    }

    private func relay(
        catalog: CatalogStore, health: ProviderHealth, workers: PictureWorkers, fetcher: Fetcher, imageFetcher: ImageFetcher,
        cache: PictureCache
    ) -> Relay {
        let upstream = UpstreamCall(
            fetcher: fetcher, learned: LearnedStore(), health: health, requests: UpstreamRequests(limits: settings.upstream),
            retries: RetryPolicy())
        let converter = PictureConverter(
            workers: workers, fetcher: imageFetcher, cache: cache, limits: .standard)
        return Relay(
            catalog: catalog, running: RunningModels(standard: keepAlive),
            images: ImageStage(converter: converter, catalog: catalog, namesPictures: settings.auditPath != nil),
            upstream: upstream,
            chooser: RouteChooser(health: health), describer: Describer(catalog: catalog, upstream: upstream))
    }

    private func routes(_ relay: Relay, discovery: ModelDiscovery, workers: PictureWorkers) -> Routes {
        let bodies = RequestBodies(limits: settings.limits, workers: workers)
        let (catalog, running, upstream, chooser) = (relay.catalog, relay.running, relay.upstream, relay.chooser)
        var routes = Routes()
        InferenceEndpoints(relay: relay, bodies: bodies).register(in: &routes)
        DiscoveryEndpoints(catalog: catalog, running: running, discovery: discovery, bodies: bodies).register(in: &routes)
        EmbedEndpoints(catalog: catalog, running: running, upstream: upstream, chooser: chooser, bodies: bodies)
            .register(in: &routes)
        ManagementEndpoints(catalog: catalog, bodies: bodies).register(in: &routes)
        OpenAIEndpoints(
            catalog: catalog, running: running, images: relay.images, upstream: upstream, chooser: chooser,
            describer: relay.describer, bodies: bodies
        ).register(in: &routes)
        ExplainEndpoint(catalog: catalog, images: relay.images, bodies: bodies).register(in: &routes)
        return routes
    }

    private func listen(
        _ routes: Routes, _ capacity: Capacity, _ connections: Connections, _ observer: RequestObserver, _ keys: ClientKeyring,
        _ tls: TLSIdentity?, _ relay: Relay
    ) async throws -> [Listener] {
        let guards = FrontDoor.Guards(
            hosts: HostCheck(ownNames: ownNames) { tls?.isFor($0) == true },
            origins: CrossOrigin(configured: settings.origins),
            keys: keys)
        let door = FrontDoor(
            routes: routes, guards: guards, limits: settings.limits, capacity: capacity, log: log, observer: observer,
            heap: HeapKeeper())
        let plain = BridgeChannel(limits: settings.limits, connections: connections, log: Listener.quiet(log)) { request, writer, channel in
            try await door.serve(request, writer, channel)
        }
        var child = plain
        child.tls = tls
        // TLS is the server library's.
        let fast =
            tls == nil ? FastDoor(front: door, whole: plain, connections: connections, relay: relay, fetcher: relay.upstream.fetcher) : nil
        var listeners: [Listener] = []
        do {
            let place = Listener.Place.address(host: settings.address.host, port: settings.address.port)
            listeners.append(try await Listener.bind(place, sharesPort: settings.sharesPort, log: log, child: child, fast: fast))
        } catch let error as IOError {
            throw startupError(error)
        } catch is SocketAddressError, is SocketAddressError.UnknownHost {
            throw StartupError("\(settings.address.host) cannot be resolved to an address; choose another with --host.")
        }
        guard let path = settings.unixSocket else { return listeners }
        if !settings.sharesPort, await Listener.isInUse(path) {
            await listeners[0].stopAccepting()
            throw StartupError("Something listens on the Unix socket \(path) already; stop it, or choose another place with --unix-socket.")
        }
        do {
            // Only this machine can reach it, and only whom the file's permissions let: it needs no TLS.
            listeners.append(try await Listener.bind(.unixSocket(path: path), log: log, child: plain))
        } catch {
            await listeners[0].stopAccepting()
            throw StartupError("The Unix socket \(path) cannot be made (\(Self.reason(error))); choose another place with --unix-socket.")
        }
        return listeners
    }

    /// Whoever uses one of these names means this server: a page on another one's name cannot carry it.
    private var ownNames: Set<String> {
        let names = [settings.address.host, ProcessInfo.processInfo.hostName] + settings.hostNames
        return Set(names.map { $0.lowercased() })
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: unsafe String(cString: strerror(error.errnoCode))
        case is SocketAddressError: "its path is too long"
        default: "something else is there"
        }
    }

    private func imageFetching(_ settings: ImageSettings) throws -> ImageFetchConfiguration {
        let allowed: AllowedHosts
        do {
            allowed = try AllowedHosts(self.settings.allowedImageHosts)
        } catch {
            throw StartupError(
                "\"\(error.entry)\" cannot be read: --allow-image-host takes a host name, *.suffix, address or network such as 10.0.0.0/8.")
        }
        var configuration = ImageFetchConfiguration(
            allowed: allowed, userAgent: "OllamaBridge", totalTimeout: .seconds(settings.fetchTimeoutSeconds),
            maxBytes: DecodeLimits.standard.bytes)
        configuration.cacheBytes = min(configuration.cacheBytes, MemoryAllowance.bytes / 16)
        return configuration
    }

    private var keepAlive: KeepAlive {
        settings.environment["OLLAMA_KEEP_ALIVE"].flatMap(KeepAlive.init(text:)) ?? .duration(.seconds(300))
    }

    private func startupError(_ error: IOError) -> StartupError {
        let place = settings.address.authority(port: settings.address.port)
        switch error.errnoCode {
        case EADDRINUSE:
            return StartupError(
                "\(place) is in use, perhaps by Ollama itself or by another bridge; stop that one or choose a port with --port.")
        case EACCES: return StartupError("\(place) may not be listened on by this user; choose a port above 1023 with --port.")
        case EADDRNOTAVAIL: return StartupError("\(settings.address.host) is no address of this machine; choose one with --host.")
        default: return StartupError("Cannot listen on \(place): \(error.localizedDescription)")
        }
    }
}
