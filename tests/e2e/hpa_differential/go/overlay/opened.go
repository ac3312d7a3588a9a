// Package podautoscaler: this file is laid over upstream's package by `go build -overlay`, to open what it keeps to
// itself. It calculates nothing.
package podautoscaler

import (
	"context"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	autoscalingclient "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/record"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/monitor"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
)

const openedKey = "default/hpa"

var observer = monitor.New()

// OpenedRecommendation is a timestampedRecommendation.
type OpenedRecommendation struct {
	Replicas int32
	Time     time.Time
}

// OpenedEvent is a timestampedScaleEvent.
type OpenedEvent struct {
	Change   int32
	Time     time.Time
	Outdated bool
}

// OpenedTolerances makes a Tolerances.
func OpenedTolerances(down, up float64) Tolerances { return Tolerances{scaleDown: down, scaleUp: up} }

// OpenedGroupPods calls groupPods.
func OpenedGroupPods(pods []*v1.Pod, metrics metricsclient.PodMetricsInfo, resource v1.ResourceName, cpuInitialization, readinessDelay time.Duration) (int, map[string]bool, map[string]bool, map[string]bool) {
	ready, unready, missing, ignored := groupPods(pods, metrics, resource, cpuInitialization, readinessDelay)
	return ready, named(unready.UnsortedList()), named(missing.UnsortedList()), named(ignored.UnsortedList())
}

func named(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// OpenScaleUpLimit sets what only upstream's tests set.
func OpenScaleUpLimit(factor, minimum float64) {
	scaleUpLimitFactor, scaleUpLimitMinimum = factor, minimum
}

// OpenedConvert calls convertDesiredReplicasWithRules.
func OpenedConvert(current, desired, least, most int32) (int32, string) {
	replicas, reason, _ := convertDesiredReplicasWithRules(current, desired, least, most)
	return replicas, reason
}

// OpenedUpLimit calls calculateScaleUpLimitWithScalingRules.
func OpenedUpLimit(current int32, ups, downs []OpenedEvent, rules *autoscaling.HPAScalingRules) int32 {
	return calculateScaleUpLimitWithScalingRules(current, closedEvents(ups), closedEvents(downs), rules)
}

// OpenedDownLimit calls calculateScaleDownLimitWithBehaviors.
func OpenedDownLimit(current int32, ups, downs []OpenedEvent, rules *autoscaling.HPAScalingRules) int32 {
	return calculateScaleDownLimitWithBehaviors(current, closedEvents(ups), closedEvents(downs), rules)
}

// OpenedChange calls getReplicasChangePerPeriod.
func OpenedChange(periodSeconds int32, events []OpenedEvent) int32 {
	return getReplicasChangePerPeriod(periodSeconds, closedEvents(events))
}

// OpenedParts is what a controller without informers needs.
type OpenedParts struct {
	Scales            scale.ScalesGetter
	HPAs              autoscalingclient.HorizontalPodAutoscalersGetter
	Mapper            apimeta.RESTMapper
	Metrics           metricsclient.MetricsClient
	Pods              corelisters.PodLister
	CPUInitialization time.Duration
	ReadinessDelay    time.Duration
	Stabilization     time.Duration
	Tolerance         float64
	Recommendations   []OpenedRecommendation // nil: the controller has not met this HPA
	Ups, Downs        []OpenedEvent
	Selectors         []labels.Selector // of this HPA and others
}

// Opened is a controller of one HPA.
type Opened struct{ controller *HorizontalController }

// Open makes a controller with a past.
func Open(parts OpenedParts) Opened {
	controller := &HorizontalController{
		scaleNamespacer:              parts.Scales,
		hpaNamespacer:                parts.HPAs,
		mapper:                       parts.Mapper,
		tolerance:                    parts.Tolerance,
		replicaCalc:                  NewReplicaCalculator(parts.Metrics, parts.Pods, parts.CPUInitialization, parts.ReadinessDelay),
		eventRecorder:                &record.FakeRecorder{},
		downscaleStabilisationWindow: parts.Stabilization,
		monitor:                      observer,
		podLister:                    parts.Pods,
		recommendations:              map[string][]timestampedRecommendation{},
		scaleUpEvents:                map[string][]timestampedScaleEvent{openedKey: closedEvents(parts.Ups)},
		scaleDownEvents:              map[string][]timestampedScaleEvent{openedKey: closedEvents(parts.Downs)},
		hpaSelectors:                 selectors.NewBiMultimap(),
	}
	if parts.Recommendations != nil {
		log := make([]timestampedRecommendation, 0, len(parts.Recommendations))
		for _, one := range parts.Recommendations {
			log = append(log, timestampedRecommendation{one.Replicas, one.Time})
		}
		controller.recommendations[openedKey] = log
	}
	for index, selector := range parts.Selectors {
		name := []string{"hpa", "other"}[index]
		controller.hpaSelectors.PutSelector(selectors.Key{Namespace: "default", Name: name}, selector)
	}
	return Opened{controller}
}

// Reconcile calls reconcileAutoscaler.
func (o Opened) Reconcile(ctx context.Context, hpa *autoscaling.HorizontalPodAutoscaler) error {
	return o.controller.reconcileAutoscaler(ctx, hpa, openedKey)
}

// Stabilize calls stabilizeRecommendation.
func (o Opened) Stabilize(desired int32) int32 {
	return o.controller.stabilizeRecommendation(openedKey, desired)
}

// StabilizeWithBehavior calls stabilizeRecommendationWithBehaviors.
func (o Opened) StabilizeWithBehavior(current, desired int32, up, down *autoscaling.HPAScalingRules) (int32, string) {
	replicas, reason, _ := o.controller.stabilizeRecommendationWithBehaviors(NormalizationArg{
		Key: openedKey, ScaleUpBehavior: up, ScaleDownBehavior: down, CurrentReplicas: current, DesiredReplicas: desired,
	})
	return replicas, reason
}

// RateLimit calls convertDesiredReplicasWithBehaviorRate.
func (o Opened) RateLimit(current, desired, least, most int32, up, down *autoscaling.HPAScalingRules) (int32, string) {
	replicas, reason, _ := o.controller.convertDesiredReplicasWithBehaviorRate(NormalizationArg{
		Key: openedKey, ScaleUpBehavior: up, ScaleDownBehavior: down,
		MinReplicas: least, MaxReplicas: most, CurrentReplicas: current, DesiredReplicas: desired,
	})
	return replicas, reason
}

// Store calls storeScaleEvent.
func (o Opened) Store(behavior *autoscaling.HorizontalPodAutoscalerBehavior, before, after int32) {
	o.controller.storeScaleEvent(behavior, openedKey, before, after)
}

// Recommendations is the log as it is now.
func (o Opened) Recommendations() []OpenedRecommendation {
	log := []OpenedRecommendation{}
	for _, one := range o.controller.recommendations[openedKey] {
		log = append(log, OpenedRecommendation{one.recommendation, one.timestamp})
	}
	return log
}

// Ups and Downs are the events as they are now.
func (o Opened) Ups() []OpenedEvent   { return openedEvents(o.controller.scaleUpEvents[openedKey]) }
func (o Opened) Downs() []OpenedEvent { return openedEvents(o.controller.scaleDownEvents[openedKey]) }

func closedEvents(events []OpenedEvent) []timestampedScaleEvent {
	closed := make([]timestampedScaleEvent, 0, len(events))
	for _, one := range events {
		closed = append(closed, timestampedScaleEvent{one.Change, one.Time, one.Outdated})
	}
	return closed
}

func openedEvents(events []timestampedScaleEvent) []OpenedEvent {
	opened := []OpenedEvent{}
	for _, one := range events {
		opened = append(opened, OpenedEvent{one.replicaChange, one.timestamp, one.outdated})
	}
	return opened
}
